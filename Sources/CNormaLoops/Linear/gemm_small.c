// Row by row with sums in double, in which products of floats are exact, so the bits do not depend
// on whether the compiler fuses them.
#include "gemm.h"

void norma_gemm_small_f32(
    const norma_gemm_shape *s, const float *a, const float *b, float *c) {
  double sums[NORMA_GEMM_SMALL_COLUMNS];
  for (int64_t i = 0; i < s->m; i++, a += s->a_row, c += s->c_row) {
    for (int64_t j = 0; j < s->n; j++) sums[j] = 0;
    for (int64_t p = 0; p < s->k; p++) {
      double factor = a[p * s->a_column];
      const float *row = b + p * s->b_row;
      if (s->b_column == 1) {
        for (int64_t j = 0; j < s->n; j++) sums[j] += factor * row[j];
      } else {
        for (int64_t j = 0; j < s->n; j++) sums[j] += factor * row[j * s->b_column];
      }
    }
    for (int64_t j = 0; j < s->n; j++) c[j] = (float)sums[j];
  }
}
