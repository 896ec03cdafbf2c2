// Integers that can be counted in a table, because their range is small:
// NORMA_I64, NORMA_I32, and NORMA_U8 or NORMA_BOOL.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// The smallest and the largest of `count` numbers, at least one.
void norma_range(int type, int64_t count, const void *x, int64_t *low, int64_t *high);

/// Adds the number of occurrences of each number v to `counts[v - low]`.
void norma_count(int type, int64_t count, const void *x, int64_t low, int64_t *counts);

/// Lists the numbers with nonzero counts in a table of `width` of them, in order, and their counts;
/// replaces each count in the table by the index of its number in that list.
void norma_list_counted(
    int type, int64_t width, int64_t low, int64_t *table, void *values, int64_t *counts);

/// `table[v - low]` for the numbers v with indices `begin ..< end`.
void norma_look_up(
    int type, const int64_t *table, int64_t low, const void *x, int64_t *out, int64_t begin,
    int64_t end);

/// The number of nonzero counts in a table.
int64_t norma_count_counted(int64_t width, const int64_t *table);

/// Adds the weight of each element to the sum of its number.
void norma_add_weights(int64_t count, const int64_t *x, const double *weights, double *sums);

#pragma clang assume_nonnull end
