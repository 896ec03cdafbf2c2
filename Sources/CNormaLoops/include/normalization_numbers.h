// The few operands of a normalization, one for each statistic. The same operations as instructions
// of programs, so the same bits; for so small a number a program would take longer to lay out than
// to run.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// mean = sum / n and variance = squares / n.
void norma_mean_and_variance(
    int64_t count, double n, const double *sums, const double *squares, double *mean,
    double *variance);

/// `high` is the mean rounded to float and `low` the remainder; scale = weight / sqrt(variance +
/// eps) in double, rounded once, and shift = bias. Without a weight it is 1, without a bias 0.
void norma_normalization_numbers(
    int64_t count, const double *mean, const double *variance, double eps,
    const float *_Nullable weight, const float *_Nullable bias, float *high, float *low,
    float *scale, float *shift);

/// result = (1 - share) * old + share * target / divisor in double, rounded once.
void norma_follow(
    int64_t count, const float *old, const double *target, double divisor, double share,
    float *result);

/// `wide / divisor`, or its root, in float or double.
void norma_finish_reduction(
    const double *wide, int64_t count, double divisor, int is_root, int type, void *result);

#pragma clang assume_nonnull end
