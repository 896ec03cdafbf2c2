// Moments of masked or weighted values; included once per instruction set with LEVEL defined.
//
// Values with weight zero have no influence, whatever they are. The mean is carried instead of the
// sum, and corrected for its rounding error, so that equal values have a variance of 0.

#define KEPT(x, w) ((f64v)((i64v)(x) & ((w) != 0)))
#define WIDE_f32(p) __builtin_convertvector(LOAD(f32h, p), f64v)
#define WIDE_f64(p) LOAD(f64v, p)

static void LEVEL(finish_weighted)(
    double rough, double q, double c, double weight, double *mean, double *m2) {
  const double exact = rough + c / weight;
  *mean = LEVEL(is_finite)(exact) ? exact : rough;
  *m2 = weight > 0 ? LEVEL(corrected)(q, c, weight) : 0;
}

// 32 values at a time, the last ones padded with weights of 0.
#define EACH_32(T, STEP)                                                                    \
  for (size_t i = 0; i < n; i += 32) {                                                      \
    const T *x = p + i;                                                                     \
    const double *w = weights + i;                                                          \
    T last[32] = {0};                                                                       \
    double last_weights[32] = {0};                                                          \
    if (n - i < 32) {                                                                       \
      memcpy(last, x, (n - i) * sizeof(T)), x = last;                                       \
      memcpy(last_weights, w, (n - i) * sizeof(double)), w = last_weights;                  \
    }                                                                                       \
    for (int k = 0; k < 4; k++) {                                                           \
      const f64v weight = LOAD(f64v, w + 8 * k);                                            \
      STEP                                                                                  \
    }                                                                                       \
  }

#define WEIGHTED(s, T)                                                                      \
  static void LEVEL(weighted_##s)(                                                          \
      size_t n, const void *values, const double *weights, double *mean, double *m2,        \
      double *count) {                                                                      \
    const T *p = values;                                                                    \
    f64v a[4] = {{0}, {0}, {0}, {0}}, b[4] = {{0}, {0}, {0}, {0}};                          \
    double all, sum, q, c;                                                                  \
    EACH_32(T, a[k] += weight; b[k] += weight * KEPT(WIDE_##s(x + 8 * k), weight);)         \
    FOLD_VECTORS(all, a);                                                                   \
    FOLD_VECTORS(sum, b);                                                                   \
    const double rough = sum / all;                                                         \
    for (int k = 0; k < 4; k++) a[k] = b[k] = (f64v){0};                                    \
    EACH_32(T, const f64v u = KEPT(WIDE_##s(x + 8 * k) - rough, weight);                    \
            a[k] += weight * u * u; b[k] += weight * u;)                                    \
    FOLD_VECTORS(q, a);                                                                     \
    FOLD_VECTORS(c, b);                                                                     \
    *count = all;                                                                           \
    LEVEL(finish_weighted)(rough, q, c, all, mean, m2);                                     \
  }                                                                                         \
  /* Eight columns at a time, down the rows; the last ones with weights of 0 beside them. */ \
  static void LEVEL(column_weighted_##s)(                                                   \
      size_t rows, size_t columns, size_t pitch, const void *values, size_t weight_pitch,   \
      const double *weights, double *means, double *m2s, double *counts) {                  \
    for (size_t j = 0; j < columns; j += 8) {                                               \
      const size_t some = columns - j < 8 ? columns - j : 8;                                \
      T last[8] = {0};                                                                      \
      double last_weights[8] = {0};                                                         \
      f64v all = {0}, sum = {0}, q = {0}, c = {0}, rough = {0};                             \
      for (int pass = 0; pass < 2; pass++) {                                                \
        for (size_t i = 0; i < rows; i++) {                                                 \
          const T *x = (const T *)values + i * pitch + j;                                   \
          const double *w = weights + i * weight_pitch + j;                                 \
          if (some < 8) {                                                                   \
            memcpy(last, x, some * sizeof(T)), x = last;                                    \
            memcpy(last_weights, w, some * sizeof(double)), w = last_weights;               \
          }                                                                                 \
          const f64v weight = LOAD(f64v, w);                                                \
          if (pass == 0) {                                                                  \
            all += weight, sum += weight * KEPT(WIDE_##s(x), weight);                       \
          } else {                                                                          \
            const f64v u = KEPT(WIDE_##s(x) - rough, weight);                               \
            q += weight * u * u, c += weight * u;                                           \
          }                                                                                 \
        }                                                                                   \
        rough = sum / all;                                                                  \
      }                                                                                     \
      for (size_t k = 0; k < some; k++) {                                                   \
        counts[j + k] = all[k];                                                             \
        LEVEL(finish_weighted)(                                                             \
            rough[k], q[k], c[k], all[k], &means[j + k], &m2s[j + k]);                      \
      }                                                                                     \
    }                                                                                       \
  }
WEIGHTED(f32, float)
WEIGHTED(f64, double)
