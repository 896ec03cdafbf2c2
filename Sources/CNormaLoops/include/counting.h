// Integers that can be counted in a table, because their range is small.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

#define NORMA_COUNTING(T, s)                                                                     \
  /* The smallest and the largest of `count` numbers, at least one. */                           \
  void norma_range_##s(int64_t count, const T *x, int64_t *low, int64_t *high);                  \
  /* Adds the number of occurrences of each number v to `counts[v - low]`. */                    \
  void norma_count_##s(int64_t count, const T *x, int64_t low, int64_t *counts);                 \
  /* Lists the numbers with nonzero counts in a table of `width` of them, in order, and their    \
     counts; replaces each count in the table by the index of its number in that list. */        \
  void norma_list_counted_##s(                                                                   \
      int64_t width, int64_t low, int64_t *table, T *values, int64_t *counts);                   \
  /* `table[v - low]` for the numbers v with indices `begin ..< end`. */                         \
  void norma_look_up_##s(                                                                        \
      const int64_t *table, int64_t low, const T *x, int64_t *out, int64_t begin, int64_t end);
NORMA_COUNTING(int64_t, i64)
NORMA_COUNTING(int32_t, i32)
NORMA_COUNTING(uint8_t, u8)
#undef NORMA_COUNTING

/// The number of nonzero counts in a table.
int64_t norma_count_counted(int64_t width, const int64_t *table);

/// Adds the weight of each element to the sum of its number.
void norma_add_weights(int64_t count, const int64_t *x, const double *weights, double *sums);

#pragma clang assume_nonnull end
