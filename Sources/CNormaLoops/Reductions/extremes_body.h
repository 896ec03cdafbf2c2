// Minima and maxima; included once per instruction set with LEVEL defined.

// Whether a value replaces the best so far: if it is better, or NaN, which differs from itself and
// which nothing replaces.
#define REPLACES(op, a, b) ((a) op (b) || (a) != (a))

// In vectors, NaN is detected along the way and searched for only if there was one, so that
// selecting a value is one instruction.
#define EXTREME(name, T, V, M, op)                                                         \
  static void LEVEL(name)(size_t n, const void *values, void *best) {                      \
    const T *p = values;                                                                   \
    T b = *(T *)best;                                                                      \
    size_t i = 0;                                                                          \
    if (n >= 2 * LANES(T) && b == b) {                                                     \
      V b0 = (V){0} + b, b1 = b0;                                                          \
      M missing = {0};                                                                     \
      for (; i + 2 * LANES(T) <= n; i += 2 * LANES(T)) {                                   \
        FETCH_AHEAD(p + i);                                                                \
        V a0 = LOAD(V, p + i), a1 = LOAD(V, p + i + LANES(T));                             \
        b0 = CHOOSE(V, M, a0 op b0, a0, b0), b1 = CHOOSE(V, M, a1 op b1, a1, b1);          \
        missing |= (M)(a0 != a0) | (M)(a1 != a1);                                          \
      }                                                                                    \
      T t[LANES(T)];                                                                       \
      STORE(V, t, CHOOSE(V, M, b1 op b0, b1, b0));                                         \
      for (size_t w = LANES(T) / 2; w; w /= 2) {                                           \
        for (size_t k = 0; k < w; k++) t[k] = t[k + w] op t[k] ? t[k + w] : t[k];          \
      }                                                                                    \
      b = t[0];                                                                            \
      if (__builtin_reduce_or(missing)) i = 0;                                             \
    }                                                                                      \
    for (; i < n && b == b; i++) b = REPLACES(op, p[i], b) ? p[i] : b;                     \
    *(T *)best = b;                                                                        \
  }                                                                                        \
  static void LEVEL(column_##name)(                                                        \
      size_t rows, size_t columns, size_t pitch, const void *values, void *results) {      \
    const T *p = values;                                                                   \
    T *r = results;                                                                        \
    size_t j = columns / LANES(T) * LANES(T);                                              \
    /* Four rows at a time, so that memory is read along the rows. */                      \
    for (size_t i = 0; i < rows; i += 4, p += 4 * pitch) {                                 \
      const size_t count = rows - i < 4 ? rows - i : 4;                                    \
      for (size_t k = 0; k < j; k += LANES(T)) {                                           \
        V b = LOAD(V, r + k);                                                              \
        for (size_t row = 0; row < count; row++) {                                         \
          V a = LOAD(V, p + row * pitch + k);                                              \
          b = CHOOSE(V, M, ((a op b) | (a != a)) & (b == b), a, b);                        \
        }                                                                                  \
        STORE(V, r + k, b);                                                                \
      }                                                                                    \
    }                                                                                      \
    p = values;                                                                            \
    for (; j < columns; j++) {                                                             \
      T b = r[j];                                                                          \
      for (size_t i = 0; i < rows && b == b; i++) {                                        \
        T a = p[i * pitch + j];                                                            \
        b = REPLACES(op, a, b) ? a : b;                                                    \
      }                                                                                    \
      r[j] = b;                                                                            \
    }                                                                                      \
  }
EXTREME(min_f32, float, f32v, i32v, <)
EXTREME(max_f32, float, f32v, i32v, >)
EXTREME(min_f64, double, f64v, i64v, <)
EXTREME(max_f64, double, f64v, i64v, >)
EXTREME(min_i64, int64_t, i64v, i64v, <)
EXTREME(max_i64, int64_t, i64v, i64v, >)
EXTREME(min_i32, int32_t, i32v, i32v, <)
EXTREME(max_i32, int32_t, i32v, i32v, >)
EXTREME(min_u8, uint8_t, u8v, u8v, <)
EXTREME(max_u8, uint8_t, u8v, u8v, >)
EXTREME(min_u64, uint64_t, u64v, u64v, <)
EXTREME(max_u64, uint64_t, u64v, u64v, >)
