#include "normalization_numbers.h"

#include <math.h>

#include "loops.h"
#include "run_level.h"

#pragma clang fp contract(off)

#define BODY "normalization_numbers_body.h"
#include "each_level.h"

void norma_mean_and_variance(
    int64_t count, double n, const double *sums, const double *squares, double *mean,
    double *variance) {
  OF_LEVEL(mean_and_variance)(count, n, sums, squares, mean, variance);
}

void norma_normalization_numbers(
    int64_t count, const double *mean, const double *variance, double eps, const float *weight,
    const float *bias, float *high, float *low, float *scale, float *shift) {
  OF_LEVEL(normalization_numbers)(
      count, mean, variance, eps, weight, bias, high, low, scale, shift);
}

void norma_follow(
    int64_t count, const float *old, const double *target, double divisor, double share,
    float *result) {
  OF_LEVEL(follow)(count, old, target, divisor, share, result);
}

void norma_finish_reduction(
    const double *wide, int64_t count, double divisor, int is_root, int type, void *result) {
  for (int64_t i = 0; i < count; i++) {
    const double whole = wide[i] / divisor, value = is_root ? sqrt(whole) : whole;
    if (type == NORMA_F64) ((double *)result)[i] = value;
    else ((float *)result)[i] = (float)value;
  }
}
