#include "row_gradient.h"

#include <stddef.h>

#include "levels.h"
#include "run_level.h"
#include "vectors.h"

#pragma clang fp contract(off)

enum { MOST_KEPT = 1024 };

#define BODY "row_gradient_body.h"
#include "each_level.h"

void norma_row_gradient_f32(
    const norma_row_gradient *rows, int64_t begin, int64_t end, double *weight_sums,
    double *bias_sums) {
  OF_LEVEL(row_gradient)(rows, begin, end, weight_sums, bias_sums);
}

void norma_add_rows(double *sums, int64_t rows, int64_t columns, float *result) {
  for (int64_t i = 1; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) sums[j] += sums[i * columns + j];
  }
  for (int64_t j = 0; j < columns; j++) result[j] = (float)sums[j];
}
