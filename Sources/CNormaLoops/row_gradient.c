#include "row_gradient.h"

#include <stddef.h>

#include "levels.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define LEVEL(name) name##_base
#include "row_gradient_body.h"
#undef LEVEL

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL(name) name##_v3
#include "row_gradient_body.h"
#undef LEVEL
#pragma clang attribute pop
// Whole 512-bit vectors, which the default tuning of this level would split.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#define LEVEL(name) name##_v4
#include "row_gradient_body.h"
#undef LEVEL
#pragma clang attribute pop
#endif

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
