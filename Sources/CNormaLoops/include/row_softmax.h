// Softmax over rows that stay in cache, in one trip over memory.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// For the rows `begin ..< end` of `columns` adjacent values, with m = max(x) and the sum in double in
/// the order of reductions: result = exp(x - m) * (1 / sum), rounded once from double.
/// `streamed` says that the result is larger than the caches and shall go past them.
void norma_row_softmax(
    int64_t columns, const float *x, float *result, int streamed, int64_t begin, int64_t end);

/// One number for each of the rows `begin ..< end`: the logarithm of the sum of the powers of e.
void norma_row_log_sum_exp(
    int64_t columns, const float *x, float *result, int64_t begin, int64_t end);

#pragma clang assume_nonnull end
