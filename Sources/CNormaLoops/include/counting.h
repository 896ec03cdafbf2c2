// Whole numbers that are counted, because they lie close together.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

#define NORMA_COUNTING(T, s)                                                                     \
  /* The smallest and the largest of `count` numbers, of which there is one at least. */         \
  void norma_range_##s(int64_t count, const T *x, int64_t *low, int64_t *high);                  \
  /* Adds to `counts[v - low]` how often each number v is there. */                              \
  void norma_count_##s(int64_t count, const T *x, int64_t low, int64_t *counts);                 \
  /* Of a table of `width` such counts: the numbers that are there, in order, how often each is, \
     and, in place of the table's counts, which of them each is. */                              \
  void norma_list_counted_##s(                                                                   \
      int64_t width, int64_t low, int64_t *table, T *values, int64_t *counts);                   \
  /* `table[v - low]` for the numbers v from `begin` to before `end`. */                         \
  void norma_look_up_##s(                                                                        \
      const int64_t *table, int64_t low, const T *x, int64_t *out, int64_t begin, int64_t end);
NORMA_COUNTING(int64_t, i64)
NORMA_COUNTING(int32_t, i32)
NORMA_COUNTING(uint8_t, u8)
#undef NORMA_COUNTING

/// How many of the counts of a table are not 0.
int64_t norma_count_counted(int64_t width, const int64_t *table);

/// Adds to the sum of every number the weight of its element.
void norma_add_weights(int64_t count, const int64_t *x, const double *weights, double *sums);

#pragma clang assume_nonnull end
