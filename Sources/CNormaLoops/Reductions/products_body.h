// Products, and sums of integers; included once per instruction set with LEVEL defined. Real
// numbers are multiplied in double, whose range a few hundred floats cannot exceed.

#define PRODUCT_REAL(s, T, H)                                                              \
  static void LEVEL(product_##s)(size_t n, const void *values, void *product) {            \
    const T *p = values;                                                                   \
    f64v s[8];                                                                             \
    for (int h = 0; h < 8; h++) s[h] = (f64v){0} + 1;                                      \
    size_t i = 0;                                                                          \
    for (; i + 64 <= n; i += 64) {                                                         \
      FETCH_AHEAD(p + i);                                                                  \
      FETCH_AHEAD(p + i + 32);                                                             \
      for (int h = 0; h < 8; h++) {                                                        \
        s[h] *= __builtin_convertvector(LOAD(H, p + i + 8 * h), f64v);                     \
      }                                                                                    \
    }                                                                                      \
    for (; i + 8 <= n; i += 8) s[0] *= __builtin_convertvector(LOAD(H, p + i), f64v);      \
    double t[8];                                                                           \
    STORE(f64v, t, ((s[0] * s[4]) * (s[2] * s[6])) * ((s[1] * s[5]) * (s[3] * s[7])));     \
    double result = ((t[0] * t[4]) * (t[2] * t[6])) * ((t[1] * t[5]) * (t[3] * t[7]));     \
    for (; i < n; i++) result *= (double)p[i];                                             \
    *(double *)product = result;                                                           \
  }                                                                                        \
  static void LEVEL(column_product_##s)(                                                   \
      size_t rows, size_t columns, size_t pitch, const void *values, void *results) {      \
    const T *p = values;                                                                   \
    double *products = results;                                                            \
    size_t j = columns / 8 * 8;                                                            \
    for (size_t i = 0; i < rows; i += 4) {                                                 \
      const size_t count = rows - i < 4 ? rows - i : 4;                                    \
      for (size_t k = 0; k < j; k += 8) {                                                  \
        f64v s = i ? LOAD(f64v, products + k) : (f64v){0} + 1;                             \
        for (size_t row = 0; row < count; row++) {                                         \
          s *= __builtin_convertvector(LOAD(H, p + (i + row) * pitch + k), f64v);          \
        }                                                                                  \
        STORE(f64v, products + k, s);                                                      \
      }                                                                                    \
    }                                                                                      \
    for (; j < columns; j++) {                                                             \
      double s = 1;                                                                        \
      for (size_t i = 0; i < rows; i++) s *= (double)p[i * pitch + j];                     \
      products[j] = s;                                                                     \
    }                                                                                      \
  }
PRODUCT_REAL(f32, float, f32h)
PRODUCT_REAL(f64, double, f64v)

// Sums and products of integers, which wrap.
#define FOLD_INTEGERS(name, START, WITH, T)                                                \
  static void LEVEL(name)(size_t n, const void *values, void *result) {                    \
    const T *p = values;                                                                   \
    uint64_t all = START;                                                                  \
    for (size_t i = 0; i < n; i++) all WITH (uint64_t)(int64_t)p[i];                       \
    *(uint64_t *)result = all;                                                             \
  }                                                                                        \
  static void LEVEL(column_##name)(                                                        \
      size_t rows, size_t columns, size_t pitch, const void *values, void *results) {      \
    const T *p = values;                                                                   \
    uint64_t *all = results;                                                               \
    for (size_t j = 0; j < columns; j++) all[j] = START;                                   \
    for (size_t i = 0; i < rows; i++)                                                      \
      for (size_t j = 0; j < columns; j++) all[j] WITH (uint64_t)(int64_t)p[i * pitch + j];\
  }
FOLD_INTEGERS(sum_i64, 0, +=, int64_t)
FOLD_INTEGERS(sum_i32, 0, +=, int32_t)
FOLD_INTEGERS(sum_u8, 0, +=, uint8_t)
FOLD_INTEGERS(product_i64, 1, *=, int64_t)
FOLD_INTEGERS(product_i32, 1, *=, int32_t)
FOLD_INTEGERS(product_u8, 1, *=, uint8_t)
