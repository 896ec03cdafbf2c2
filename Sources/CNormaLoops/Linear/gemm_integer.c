// Row by row: each row of the result accumulates rows of `b`.
#include "gemm.h"

#define PRODUCT(name, T)                                                                           \
  static void name##_row(const norma_gemm_shape *s, const T *a, const T *b, T *c) {                \
    for (int64_t j = 0; j < s->n; j++) c[j] = 0;                                                   \
    for (int64_t p = 0; p < s->k; p++, a += s->a_column, b += s->b_row) {                          \
      T factor = *a;                                                                               \
      int64_t step = s->b_column;                                                                  \
      if (step == 1) {                                                                             \
        for (int64_t j = 0; j < s->n; j++) c[j] = (T)(c[j] + factor * b[j]);                       \
      } else {                                                                                     \
        for (int64_t j = 0; j < s->n; j++) c[j] = (T)(c[j] + factor * b[j * step]);                \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  void name(const norma_gemm_shape *s, const T *a, const T *b, T *c) {                             \
    for (int64_t i = 0; i < s->m; i++) name##_row(s, a + i * s->a_row, b, c + i * s->c_row);       \
  }

PRODUCT(norma_gemm_u8, uint8_t)
PRODUCT(norma_gemm_u32, uint32_t)
PRODUCT(norma_gemm_u64, uint64_t)
