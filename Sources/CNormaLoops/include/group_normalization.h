// Normalization of contiguous groups of values, and its gradient, one group after the other while
// it is in cache. Built from the loops of loops.h.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// The groups of a dense tensor of `float`, in elements.
///
/// Group g consists of `pieces` rows of `length` adjacent values; piece p begins at
/// `g * group_step + p * piece_step`. The value at offset o has parameter number
/// `o / inner % period`. Either `inner` divides `length` or is a multiple of it, and if `inner` is
/// 1, a row of values never begins in the middle of the row of parameters.
typedef struct {
  int64_t groups, pieces, length;
  int64_t group_step, piece_step;
  int64_t inner, period;
} norma_groups;

/// The operands of a normalization besides its input.
typedef struct {
  const float *_Nullable weight, *_Nullable bias;
  double eps;
  int from_zero;  // the mean is 0, and the variance the mean square
} norma_group_parameters;

/// For the groups `begin ..< end`: mean, sum of squared distances and variance of each, and y =
/// ((x - high) - low) * scale + shift, like the instruction NORMA_NORMALIZE.
void norma_normalize_groups(
    const norma_groups *groups, const norma_group_parameters *parameters, const float *x, float *y,
    double *mean, double *squares, double *variance, int64_t begin, int64_t end);

/// For the groups `begin ..< end`, with c = x - mean, r = 1 / sqrt(variance + eps), u = g * weight,
/// in double, over the n values of a group:
///
///     dx = r u - r^3 c sum(u c) / n - r sum(u) / n        (from zero, without the last term)
///     products = r sum(g c)        plain = sum(g)         for each run of `inner` values
///
/// `products` and `plain` have one number for each run of the tensor, which is min(inner, length)
/// values long. If `inner` is 1, `length` is `period` and groups are rows: a row of numbers is then
/// added to `products` and `plain`, which start as 0, row by row. Otherwise `inner` is no smaller
/// than 16.
void norma_group_gradient(
    const norma_groups *groups, const norma_group_parameters *parameters, const float *x,
    const float *upstream, const double *mean, const double *variance, float *_Nullable dx,
    double *products, double *plain, int64_t begin, int64_t end);

/// result[i / repeats % period] = the sum of all such values[i], in order, in double and rounded
/// once; `count` is a multiple of `repeats * period`. The first values are overwritten.
void norma_add_runs(
    double *values, int64_t count, int64_t repeats, int64_t period, float *result);

#pragma clang assume_nonnull end
