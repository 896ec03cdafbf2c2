// Cumulative maxima and minima; included once per instruction set with LEVEL defined.

// Whether an element replaces the extreme so far: if it is not worse, or NaN, which nothing
// replaces.
#define REPLACES(op, a, b) ((a) op (b) || (a) != (a))

// In a vector, every lane takes the elements of lanes further and further before it, unless its own
// replaces them.
#define TAKE_OVER(op, V, M, UP)                                \
  do {                                                         \
    const V before = UP(a);                                    \
    const M from = UP(at);                                     \
    const M stays = ~((M)(a op before) | (M)(a != a));         \
    a = CHOOSE(V, M, stays, before, a);                        \
    at = CHOOSE(M, M, stays, from, at);                        \
  } while (0)
#define TAKE_OVER_16(op, V, M)      \
  TAKE_OVER(op, V, M, UP1_16);      \
  TAKE_OVER(op, V, M, UP2_16);      \
  TAKE_OVER(op, V, M, UP4_16);      \
  TAKE_OVER(op, V, M, UP8_16)
#define TAKE_OVER_8(op, V, M)       \
  TAKE_OVER(op, V, M, UP1_8);       \
  TAKE_OVER(op, V, M, UP2_8);       \
  TAKE_OVER(op, V, M, UP4_8)

// Lanes that do not change have a negative index here.
#define PUT_EIGHT(eight, to)                                                     \
  do {                                                                           \
    const i64v own = (eight);                                                    \
    STORE(i64v, to, CHOOSE(i64v, i64v, own < 0, (i64v){0} + index, own + i));    \
  } while (0)
#define PUT_16(at)                                                                               \
  PUT_EIGHT(__builtin_convertvector(__builtin_shufflevector(at, at, 0, 1, 2, 3, 4, 5, 6, 7),     \
                                    i64v), to + i);                                              \
  PUT_EIGHT(__builtin_convertvector(                                                             \
                __builtin_shufflevector(at, at, 8, 9, 10, 11, 12, 13, 14, 15), i64v), to + i + 8)
#define PUT_8(at) PUT_EIGHT(at, to + i)

// N lanes V and M at a time; S is the type of elements T in memory.
#define ROW(name, op, T, N, V, M, S, LANE_NUMBERS)                                               \
  static void LEVEL(row_##name)(int64_t size, const T *x, T *y, int64_t *to) {                   \
    T best = x[0];                                                                               \
    int64_t index = 0, i = 0;                                                                    \
    for (; i + N <= size; i += N) {                                                              \
      V a = __builtin_convertvector(LOAD(S, x + i), V);                                          \
      M at = LANE_NUMBERS;                                                                       \
      TAKE_OVER_##N(op, V, M);                                                                   \
      const V before = (V){0} + best;                                                            \
      const M stays = ~((M)(a op before) | (M)(a != a));                                         \
      a = CHOOSE(V, M, stays, before, a);                                                        \
      at |= stays;                                                                               \
      STORE(S, y + i, __builtin_convertvector(a, S));                                            \
      PUT_##N(at);                                                                               \
      best = (T)a[N - 1];                                                                        \
      index = at[N - 1] < 0 ? index : i + at[N - 1];                                             \
    }                                                                                            \
    for (; i < size; i++) {                                                                      \
      if (REPLACES(op, x[i], best)) best = x[i], index = i;                                      \
      y[i] = best, to[i] = index;                                                                \
    }                                                                                            \
  }

// Adjacent chains, or backwards, row by row.
#define EXTREME(name, op, T)                                                                     \
  static void LEVEL(running_##name)(                                                             \
      const norma_scan *scan, const T *restrict x, T *restrict y, int64_t *restrict indices,     \
      int64_t begin, int64_t end) {                                                              \
    for (int64_t unit = begin; unit < end && scan->size > 0; unit++) {                           \
      const part p = part_of(scan, unit);                                                        \
      int64_t at = p.first;                                                                      \
      if (p.step == 1) {                                                                         \
        LEVEL(row_##name)(scan->size, x + at, y + at, indices + at);                             \
        continue;                                                                                \
      }                                                                                          \
      for (int64_t j = 0; j < p.width; j++) y[at + j] = x[at + j], indices[at + j] = 0;          \
      for (int64_t i = 1; i < scan->size; i++) {                                                 \
        const T *best = y + at;                                                                  \
        const int64_t *before = indices + at;                                                    \
        at += p.step;                                                                            \
        for (int64_t j = 0; j < p.width; j++) {                                                  \
          const T a = x[at + j], b = best[j];                                                    \
          const int replaces = (a op b) | (a != a);                                              \
          y[at + j] = replaces ? a : b;                                                          \
          indices[at + j] = replaces ? i : before[j];                                            \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
  }

#define SIXTEEN ((i32v){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#define EIGHT ((i64v){0, 1, 2, 3, 4, 5, 6, 7})
#define BOTH(T, s, N, V, M, S, LANE_NUMBERS)               \
  ROW(max_##s, >=, T, N, V, M, S, LANE_NUMBERS)            \
  ROW(min_##s, <=, T, N, V, M, S, LANE_NUMBERS)            \
  EXTREME(max_##s, >=, T)                                  \
  EXTREME(min_##s, <=, T)
BOTH(float, f32, 16, f32v, i32v, f32v, SIXTEEN)
BOTH(double, f64, 8, f64v, i64v, f64v, EIGHT)
BOTH(int64_t, i64, 8, i64v, i64v, i64v, EIGHT)
BOTH(int32_t, i32, 16, i32v, i32v, i32v, SIXTEEN)
BOTH(uint8_t, u8, 16, i32v, i32v, u8x16, SIXTEEN)
