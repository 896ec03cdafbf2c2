#include "row_gradient.h"

#include <stddef.h>

#include "levels.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define BODY "row_gradient_body.h"
#include "each_level.h"

void norma_row_gradient_f32(
    const norma_row_gradient *rows, int64_t begin, int64_t end, double *weight_sums,
    double *bias_sums) {
#if defined(__x86_64__)
  switch (norma_loops_level()) {
    case 2: row_gradient_v4(rows, begin, end, weight_sums, bias_sums); return;
    case 1: row_gradient_v3(rows, begin, end, weight_sums, bias_sums); return;
  }
#endif
  row_gradient_base(rows, begin, end, weight_sums, bias_sums);
}

void norma_add_rows(double *sums, int64_t rows, int64_t columns, float *result) {
  for (int64_t i = 1; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) sums[j] += sums[i * columns + j];
  }
  for (int64_t j = 0; j < columns; j++) result[j] = (float)sums[j];
}
