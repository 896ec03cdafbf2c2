// Products; included once per instruction set with LEVEL defined. Real numbers are multiplied in
// double, whose range a few hundred floats do not leave; integers wrap.

#define PRODUCT_REAL(s, T, H)                                                              \
  static void LEVEL(product_##s)(size_t n, const void *values, void *product) {            \
    const T *p = values;                                                                   \
    f64v s0 = (f64v){0} + 1, s1 = s0, s2 = s0, s3 = s0;                                    \
    size_t i = 0;                                                                          \
    for (; i + 32 <= n; i += 32) {                                                         \
      s0 *= __builtin_convertvector(LOAD(H, p + i), f64v);                                 \
      s1 *= __builtin_convertvector(LOAD(H, p + i + 8), f64v);                             \
      s2 *= __builtin_convertvector(LOAD(H, p + i + 16), f64v);                            \
      s3 *= __builtin_convertvector(LOAD(H, p + i + 24), f64v);                            \
    }                                                                                      \
    double t[8], result = 1;                                                               \
    STORE(f64v, t, (s0 * s1) * (s2 * s3));                                                 \
    for (int k = 0; k < 8; k++) result *= t[k];                                            \
    for (; i < n; i++) result *= (double)p[i];                                             \
    *(double *)product = result;                                                           \
  }                                                                                        \
  static void LEVEL(column_product_##s)(                                                   \
      size_t rows, size_t columns, size_t pitch, const void *values, void *results) {      \
    const T *p = values;                                                                   \
    double *products = results;                                                            \
    size_t j = 0;                                                                          \
    for (; j + 8 <= columns; j += 8) {                                                     \
      f64v s = (f64v){0} + 1;                                                              \
      for (size_t i = 0; i < rows; i++)                                                    \
        s *= __builtin_convertvector(LOAD(H, p + i * pitch + j), f64v);                    \
      STORE(f64v, products + j, s);                                                        \
    }                                                                                      \
    for (; j < columns; j++) {                                                             \
      double s = 1;                                                                        \
      for (size_t i = 0; i < rows; i++) s *= (double)p[i * pitch + j];                     \
      products[j] = s;                                                                     \
    }                                                                                      \
  }
PRODUCT_REAL(f32, float, f32h)
PRODUCT_REAL(f64, double, f64v)
#undef PRODUCT_REAL

#define PRODUCT_INTEGER(s, T)                                                              \
  static void LEVEL(product_##s)(size_t n, const void *values, void *product) {            \
    const T *p = values;                                                                   \
    uint64_t result = 1;                                                                   \
    for (size_t i = 0; i < n; i++) result *= (uint64_t)(int64_t)p[i];                      \
    *(uint64_t *)product = result;                                                         \
  }                                                                                        \
  static void LEVEL(column_product_##s)(                                                   \
      size_t rows, size_t columns, size_t pitch, const void *values, void *results) {      \
    const T *p = values;                                                                   \
    uint64_t *products = results;                                                          \
    for (size_t j = 0; j < columns; j++) products[j] = 1;                                  \
    for (size_t i = 0; i < rows; i++)                                                      \
      for (size_t j = 0; j < columns; j++)                                                 \
        products[j] *= (uint64_t)(int64_t)p[i * pitch + j];                                \
  }
PRODUCT_INTEGER(i64, int64_t)
PRODUCT_INTEGER(i32, int32_t)
PRODUCT_INTEGER(u8, uint8_t)
#undef PRODUCT_INTEGER
