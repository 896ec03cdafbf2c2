// Normalizations and their gradients; included once per instruction set with LEVEL defined.
//
// A statistic is a single number for the block, as for channels of images or for rows, or one for
// each value, as for channels-last tensors.

// Operand k as `name`; its first value as name0, read before anything is written.
#define OPERAND(T, name, k)     \
  const T *name = operands[k];  \
  const T name##0 = name[0];    \
  (void)name##0;
#define EACH(V, a) LOAD(V, a + i)
#define ONLY(V, a) a##0
#define EACH_VALUE(V, a) a[i]

// S, C, B: whether the statistics, the scale and the shift are single numbers or blocks.
#define NORMALIZE(name, T, V, S, S1, C, C1, B, B1)                                              \
  static void LEVEL(name)(size_t n, const void *const *operands, void *out) {                   \
    OPERAND(T, x, 0) OPERAND(T, high, 1) OPERAND(T, low, 2)                                     \
    OPERAND(T, scale, 3) OPERAND(T, shift, 4)                                                   \
    T *r = out;                                                                                 \
    size_t i = 0;                                                                               \
    OUT_VECTORS(T) {                                                                            \
      const V u = (LOAD(V, x + i) - S(V, high)) - S(V, low);                                    \
      STORE(V, r + i, u * C(V, scale) + B(V, shift));                                           \
    }                                                                                           \
    for (; i < n; i++) {                                                                        \
      r[i] = ((x[i] - S1(T, high)) - S1(T, low)) * C1(T, scale) + B1(T, shift);                 \
    }                                                                                           \
  }

// g * scale + (x - mean) * slope + shift in double, rounded once, because the terms may cancel.
#define NORMALIZE_GRADIENT(name, T, V, H, S, S1)                                                \
  static void LEVEL(name)(size_t n, const void *const *operands, void *out) {                   \
    const T *x = operands[0], *g = operands[1];                                                 \
    OPERAND(double, mean, 2) OPERAND(double, scale, 3)                                          \
    OPERAND(double, slope, 4) OPERAND(double, shift, 5)                                         \
    T *r = out;                                                                                 \
    size_t i = 0;                                                                               \
    for (; i + 8 <= n; i += 8) {                                                                \
      const f64v u = (__builtin_convertvector(LOAD(H, x + i), f64v) - S(f64v, mean))            \
                   * S(f64v, slope);                                                            \
      const f64v v = __builtin_convertvector(LOAD(H, g + i), f64v) * S(f64v, scale);            \
      STORE(H, r + i, __builtin_convertvector(v + u + S(f64v, shift), H));                      \
    }                                                                                           \
    for (; i < n; i++) {                                                                        \
      const double u = ((double)x[i] - S1(T, mean)) * S1(T, slope);                             \
      r[i] = (T)((double)g[i] * S1(T, scale) + u + S1(T, shift));                               \
    }                                                                                           \
  }

// The same for rows of a tile with strides of `pitches` bytes: a statistic is a single number per
// row, or a repeated row that stays in registers for all rows.
#define ROW(T, k, row) ((const T *)((const char *)operands[k] + (ptrdiff_t)(row) * pitches[k]))
#define OUT_ROW(T, row) ((T *)((char *)out + (ptrdiff_t)(row) * out_pitch))
#define ROWS_ARGUMENTS                                                                          \
  size_t rows, size_t n, const void *const *operands, const ptrdiff_t *pitches, void *out,      \
      ptrdiff_t out_pitch

#define NORMALIZE_ROWS(s, T, V)                                                                 \
  static void LEVEL(normalize_rows_##s##_s)(ROWS_ARGUMENTS) {                                   \
    for (size_t row = 0; row < rows; row++) {                                                   \
      const T *x = ROW(T, 0, row);                                                              \
      const T high = *ROW(T, 1, row), low = *ROW(T, 2, row);                                    \
      const T scale = *ROW(T, 3, row), shift = *ROW(T, 4, row);                                 \
      T *r = OUT_ROW(T, row);                                                                   \
      size_t i = 0;                                                                             \
      OUT_VECTORS(T) STORE(V, r + i, ((LOAD(V, x + i) - high) - low) * scale + shift);          \
      for (; i < n; i++) r[i] = ((x[i] - high) - low) * scale + shift;                          \
    }                                                                                           \
  }                                                                                             \
  static void LEVEL(normalize_rows_##s##_v)(ROWS_ARGUMENTS) {                                   \
    const T *high = operands[1], *low = operands[2], *scale = operands[3], *shift = operands[4]; \
    /* Columns of short rows, whose statistics stay in registers. */                            \
    for (size_t j = 0; n % LANES(T) == 0 && n <= 16 * LANES(T) && j < n; j += LANES(T)) {       \
      const V h = LOAD(V, high + j), l = LOAD(V, low + j);                                      \
      const V c = LOAD(V, scale + j), b = LOAD(V, shift + j);                                   \
      for (size_t row = 0; row < rows; row++) {                                                 \
        STORE(V, OUT_ROW(T, row) + j, ((LOAD(V, ROW(T, 0, row) + j) - h) - l) * c + b);         \
      }                                                                                         \
      if (j + LANES(T) == n) return;                                                            \
    }                                                                                           \
    for (size_t row = 0; row < rows; row++) {                                                   \
      const void *const own[] = {ROW(T, 0, row), high, low, scale, shift};                      \
      LEVEL(normalize_##s##_v)(n, own, OUT_ROW(T, row));                                        \
    }                                                                                           \
  }

#define GRADIENT_ROWS(s, T, H)                                                                  \
  static void LEVEL(gradient_rows_##s##_s)(ROWS_ARGUMENTS) {                                    \
    for (size_t row = 0; row < rows; row++) {                                                   \
      const void *const own[] = {ROW(T, 0, row),      ROW(T, 1, row),      ROW(double, 2, row), \
                                 ROW(double, 3, row), ROW(double, 4, row), ROW(double, 5, row)}; \
      LEVEL(gradient_##s##_s)(n, own, OUT_ROW(T, row));                                         \
    }                                                                                           \
  }                                                                                             \
  static void LEVEL(gradient_rows_##s##_v)(ROWS_ARGUMENTS) {                                    \
    const double *mean = operands[2], *scale = operands[3];                                     \
    const double *slope = operands[4], *shift = operands[5];                                    \
    if (n == 16) {                                                                              \
      f64v m[2], c[2], k[2], b[2];                                                              \
      for (int h = 0; h < 2; h++) {                                                             \
        m[h] = LOAD(f64v, mean + 8 * h), c[h] = LOAD(f64v, scale + 8 * h);                      \
        k[h] = LOAD(f64v, slope + 8 * h), b[h] = LOAD(f64v, shift + 8 * h);                     \
      }                                                                                         \
      for (size_t row = 0; row < rows; row++) {                                                 \
        const T *x = ROW(T, 0, row), *g = ROW(T, 1, row);                                       \
        T *r = OUT_ROW(T, row);                                                                 \
        for (int h = 0; h < 2; h++) {                                                           \
          const f64v u = (__builtin_convertvector(LOAD(H, x + 8 * h), f64v) - m[h]) * k[h];     \
          const f64v v = __builtin_convertvector(LOAD(H, g + 8 * h), f64v) * c[h];              \
          STORE(H, r + 8 * h, __builtin_convertvector(v + u + b[h], H));                        \
        }                                                                                       \
      }                                                                                         \
      return;                                                                                   \
    }                                                                                           \
    for (size_t row = 0; row < rows; row++) {                                                   \
      const void *const own[] = {ROW(T, 0, row), ROW(T, 1, row), mean, scale, slope, shift};    \
      LEVEL(gradient_##s##_v)(n, own, OUT_ROW(T, row));                                         \
    }                                                                                           \
  }

#define NORMALIZATIONS(s, T, V, H)                                                              \
  NORMALIZE(normalize_##s##_v, T, V, EACH, EACH_VALUE, EACH, EACH_VALUE, EACH, EACH_VALUE)      \
  NORMALIZE(normalize_##s##_s, T, V, ONLY, ONLY, ONLY, ONLY, ONLY, ONLY)                        \
  NORMALIZE(normalize_##s##_row, T, V, ONLY, ONLY, EACH, EACH_VALUE, EACH, EACH_VALUE)          \
  NORMALIZE(normalize_##s##_row0, T, V, ONLY, ONLY, EACH, EACH_VALUE, ONLY, ONLY)               \
  NORMALIZE_GRADIENT(gradient_##s##_v, T, V, H, EACH, EACH_VALUE)                               \
  NORMALIZE_GRADIENT(gradient_##s##_s, T, V, H, ONLY, ONLY)                                     \
  NORMALIZE_ROWS(s, T, V)                                                                       \
  GRADIENT_ROWS(s, T, H)
NORMALIZATIONS(f32, float, f32v, f32h)
NORMALIZATIONS(f64, double, f64v, f64v)

// `singles` has a bit for each operand that is a single number: high and low are bits 1 and 2.
static norma_loop LEVEL(find_normalization)(int operation, int type, unsigned singles) {
  if (type > NORMA_F64) return 0;
#define PICK(name, form) \
  return type == NORMA_F32 ? LEVEL(name##_f32_##form) : LEVEL(name##_f64_##form)
  switch (operation) {
    case NORMA_NORMALIZE:
      switch (singles) {
        case 0: PICK(normalize, v);
        case 6: PICK(normalize, row);
        case 22: PICK(normalize, row0);
        case 30: PICK(normalize, s);
      }
      return 0;
    case NORMA_NORMALIZE_GRADIENT:
      switch (singles) {
        case 0: PICK(gradient, v);
        case 60: PICK(gradient, s);
      }
  }
  return 0;
#undef PICK
}

norma_rows_loop LEVEL(norma_find_rows_loop)(int operation, int type, unsigned singles) {
  if (type > NORMA_F64) return 0;
#define PICK(name, form) \
  return type == NORMA_F32 ? LEVEL(name##_f32_##form) : LEVEL(name##_f64_##form)
  if (operation == NORMA_NORMALIZE) {
    if (singles == 0) PICK(normalize_rows, v);
    if (singles == 30) PICK(normalize_rows, s);
  }
  if (operation == NORMA_NORMALIZE_GRADIENT) {
    if (singles == 0) PICK(gradient_rows, v);
    if (singles == 60) PICK(gradient_rows, s);
  }
  return 0;
#undef PICK
}

#undef OPERAND
#undef EACH
#undef ONLY
#undef EACH_VALUE
#undef NORMALIZE
#undef NORMALIZE_GRADIENT
#undef NORMALIZATIONS
#undef NORMALIZE_ROWS
#undef GRADIENT_ROWS
#undef ROW
#undef OUT_ROW
#undef ROWS_ARGUMENTS
