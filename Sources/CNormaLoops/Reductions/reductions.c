#include <string.h>

#include "lanes.h"
#include "program.h"
#include "run_level.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define BODY "reductions_body.h"
#include "each_level.h"

const norma_reductions *norma_find_reductions(int type) { return &OF_LEVEL(reductions)[type]; }

void norma_row_moments(
    size_t rows, size_t n, size_t pitch, const float *values, double *sums, double *m2s) {
  OF_LEVEL(row_moments_f32)(rows, n, pitch, values, sums, m2s);
}

void norma_merge_moments(
    size_t columns, double count_a, double *sum_a, double *m2_a, double *lost_a, double count_b,
    const double *sum_b, const double *m2_b, const double *lost_b) {
  if (lost_a) {
    OF_LEVEL(merge_whole_moments)(
        columns, count_a, sum_a, m2_a, lost_a, count_b, sum_b, m2_b, lost_b);
  } else {
    OF_LEVEL(merge_moments)(columns, count_a, sum_a, m2_a, count_b, sum_b, m2_b);
  }
}
