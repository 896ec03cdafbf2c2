// Included once per instruction set with LEVEL defined. Elementwise loops, which the compiler
// vectorizes; sums have 8 interleaved lanes on every instruction set.

#define LOOPS(name, T)                                                                         \
  static void LEVEL(scale_##name)(int64_t n, const T *from, double factor, T *to) {           \
    for (int64_t j = 0; j < n; j++) to[j] = (T)((double)from[j] * factor);                    \
  }                                                                                            \
  /* s - highest, at least `floor`; whether some were less. NaN stays. */                       \
  static int LEVEL(shift_##name)(int64_t n, T highest, T floor, T *s) {                       \
    int some = 0;                                                                              \
    for (int64_t j = 0; j < n; j++) {                                                          \
      const T x = s[j] - highest;                                                              \
      some |= x < floor;                                                                       \
      s[j] = x < floor ? floor : x;                                                            \
    }                                                                                          \
    return some;                                                                               \
  }                                                                                            \
  static void LEVEL(flush_##name)(int64_t n, T least, T *s) {                                 \
    for (int64_t j = 0; j < n; j++) s[j] = s[j] == least ? 0 : s[j];                          \
  }                                                                                            \
  static void LEVEL(add_##name)(int64_t n, const T *from, T factor, T *into) {                \
    for (int64_t j = 0; j < n; j++) into[j] = into[j] * factor + from[j];                     \
  }                                                                                            \
  static void LEVEL(slopes_##name)(int64_t n, const T *weights, double mean, T *slopes) {     \
    for (int64_t j = 0; j < n; j++) {                                                         \
      slopes[j] = (T)(((double)slopes[j] - mean) * (double)weights[j]);                       \
    }                                                                                          \
  }                                                                                            \
  static void LEVEL(keep_##name)(int64_t n, const uint8_t *kept, const T *from, T *to) {      \
    for (int64_t j = 0; j < n; j++) to[j] = kept[j] ? from[j] : 0;                            \
  }                                                                                            \
  static double LEVEL(dot_##name)(int64_t n, const T *a, const T *b) {                        \
    double lanes[8] = {0};                                                                     \
    int64_t j = 0;                                                                             \
    for (; j + 8 <= n; j += 8) {                                                               \
      for (int k = 0; k < 8; k++) lanes[k] += (double)a[j + k] * (double)b[j + k];            \
    }                                                                                          \
    for (int k = 0; j < n; j++, k++) lanes[k] += (double)a[j] * (double)b[j];                 \
    for (int w = 4; w; w /= 2) {                                                               \
      for (int k = 0; k < w; k++) lanes[k] += lanes[k + w];                                   \
    }                                                                                          \
    return lanes[0];                                                                           \
  }
LOOPS(f32, float)
LOOPS(f64, double)
