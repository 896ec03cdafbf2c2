// The gradient of a normalization of rows whose weight varies along them, such as layer norm, in
// one pass over memory.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// Dense rows of `columns` values; mean and variance of each.
typedef struct {
  int64_t columns;
  const float *x, *upstream;
  const float *weight;  // one row
  const double *mean, *variance;
  double eps;
  float *_Nullable gradient;  // of x; null if not needed
  double mean_share;          // 1, or 0 for means that do not depend on x
} norma_row_gradient;

/// For the rows `begin ..< end`, with c = x - mean, u = upstream * weight, r = 1 / sqrt(variance +
/// eps), in double:
///
///     gradient = r u - r^3 c sum(u c) / columns - mean_share r sum(u) / columns
///     weight_sums += upstream c r        bias_sums += upstream
///
/// The sums have `columns` elements and start as 0; rows are added in order.
void norma_row_gradient_f32(
    const norma_row_gradient *rows, int64_t begin, int64_t end, double *weight_sums,
    double *bias_sums);

/// Adds rows 1 ..< `rows` of `columns` sums to row 0, in order, and rounds it to `result`.
void norma_add_rows(double *sums, int64_t rows, int64_t columns, float *result);

#pragma clang assume_nonnull end
