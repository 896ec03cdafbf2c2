// Minima and maxima; included once per instruction set with LEVEL defined.

// `better` says whether the new value a replaces b; a NaN that came first stays.
#define EXTREME(name, T, V, M, better)                                                     \
  static void LEVEL(name)(size_t n, const void *values, void *best) {                      \
    const T *p = values;                                                                   \
    T b = *(T *)best;                                                                      \
    size_t i = 0;                                                                          \
    if (n >= 2 * LANES(T)) {                                                               \
      V b0 = (V){0} + b, b1 = b0;                                                          \
      for (; i + 2 * LANES(T) <= n; i += 2 * LANES(T)) {                                   \
        {                                                                                  \
          V a = LOAD(V, p + i), b = b0;                                                    \
          b0 = CHOOSE(V, M, better, a, b);                                                 \
        }                                                                                  \
        {                                                                                  \
          V a = LOAD(V, p + i + LANES(T)), b = b1;                                         \
          b1 = CHOOSE(V, M, better, a, b);                                                 \
        }                                                                                  \
      }                                                                                    \
      T t[2 * LANES(T)];                                                                   \
      STORE(V, t, b0), STORE(V, t + LANES(T), b1);                                         \
      for (size_t k = 0; k < 2 * LANES(T); k++) {                                          \
        T a = t[k];                                                                        \
        b = (better) ? a : b;                                                              \
      }                                                                                    \
    }                                                                                      \
    for (; i < n; i++) {                                                                   \
      T a = p[i];                                                                          \
      b = (better) ? a : b;                                                                \
    }                                                                                      \
    *(T *)best = b;                                                                        \
  }                                                                                        \
  static void LEVEL(column_##name)(                                                        \
      size_t rows, size_t columns, size_t pitch, const void *values, void *results) {      \
    const T *p = values;                                                                   \
    T *r = results;                                                                        \
    size_t j = 0;                                                                          \
    for (; j + LANES(T) <= columns; j += LANES(T)) {                                       \
      V b = LOAD(V, r + j);                                                                \
      for (size_t i = 0; i < rows; i++) {                                                  \
        V a = LOAD(V, p + i * pitch + j);                                                  \
        b = CHOOSE(V, M, better, a, b);                                                    \
      }                                                                                    \
      STORE(V, r + j, b);                                                                  \
    }                                                                                      \
    for (; j < columns; j++) {                                                             \
      T b = r[j];                                                                          \
      for (size_t i = 0; i < rows; i++) {                                                  \
        T a = p[i * pitch + j];                                                            \
        b = (better) ? a : b;                                                              \
      }                                                                                    \
      r[j] = b;                                                                            \
    }                                                                                      \
  }
EXTREME(min_f32, float, f32v, i32v, (a < b) | (a != a))
EXTREME(max_f32, float, f32v, i32v, (a > b) | (a != a))
EXTREME(min_f64, double, f64v, i64v, (a < b) | (a != a))
EXTREME(max_f64, double, f64v, i64v, (a > b) | (a != a))
EXTREME(min_i64, int64_t, i64v, i64v, a < b)
EXTREME(max_i64, int64_t, i64v, i64v, a > b)
EXTREME(min_i32, int32_t, i32v, i32v, a < b)
EXTREME(max_i32, int32_t, i32v, i32v, a > b)
EXTREME(min_u8, uint8_t, u8v, u8v, a < b)
EXTREME(max_u8, uint8_t, u8v, u8v, a > b)
#undef EXTREME
