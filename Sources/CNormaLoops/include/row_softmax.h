// Softmax over rows that stay in cache, in one pass over memory.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// For the rows `begin ..< end` of `columns` adjacent values, with m = max(x) and the sum in double
/// in the order of reductions: result = exp(x - m) * (1 / sum), rounded once from double. If
/// `causal` is not 0, row r uses only its first r % causal + 1 values, and gives 0 for the others.
/// `streamed` says that the result is larger than the caches and should bypass them.
void norma_row_softmax(
    int64_t columns, const float *x, int64_t causal, float *result, int streamed, int64_t begin,
    int64_t end);

/// The gradient with respect to x, where y is its softmax: result = (upstream - sum(y upstream)) *
/// y, in double and rounded once. `streamed` as above.
void norma_row_softmax_gradient(
    int64_t columns, const float *y, const float *upstream, float *result, int streamed,
    int64_t begin, int64_t end);

/// One number for each of the rows `begin ..< end`: the logarithm of the sum of the powers of e.
void norma_row_log_sum_exp(
    int64_t columns, const float *x, float *result, int64_t begin, int64_t end);

/// For the rows `begin ..< end`: result = (x - m) - log1p(s - 1) with m = max(x), s the sum of
/// exp(x - m) in double, and s - 1 rounded once. `streamed` as above.
void norma_row_log_softmax(
    int64_t columns, const float *x, float *result, int streamed, int64_t begin, int64_t end);

/// The same at one index of each row, 0 if the index is negative. `highest` gets m and `sums` s of
/// each row.
void norma_row_log_softmax_at(
    int64_t columns, const float *x, const int64_t *indices, float *result, float *highest,
    double *sums, int64_t begin, int64_t end);

/// The gradient of norma_row_log_softmax_at: upstream * (1 at the index, else 0, minus softmax(x));
/// 0 if the index is negative. 1 - softmax at the index is computed as the sum of the others'
/// powers divided by s, which keeps its digits.
void norma_row_log_softmax_at_gradient(
    int64_t columns, const float *x, const int64_t *indices, const float *highest,
    const double *sums, const float *upstream, float *result, int streamed, int64_t begin,
    int64_t end);

#pragma clang assume_nonnull end
