// Order within rows of `size` elements that lie without gaps.
//
// Everything goes by whole numbers in the order of the elements: NaN, of whatever sign, is above
// anything, and -0 equals 0. Equal elements keep their order. Sorting is integer work without vectors,
// in one loop for all instruction sets; selection counts in vectors.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// What sorting rows needs.
typedef struct {
  int64_t size;
  int64_t wanted;  // the first so many of each row in order; `size` for all of them
  int descending;
} norma_order;

/// What is done with NaN: they are the largest elements, they are the result, or they do not count.
enum norma_nan_rule { NORMA_NAN_LAST, NORMA_NAN_WINS, NORMA_NAN_IGNORED };

enum norma_interpolation {
  NORMA_QUANTILE_LINEAR,
  NORMA_QUANTILE_LOWER,
  NORMA_QUANTILE_HIGHER,
  NORMA_QUANTILE_MIDPOINT,
  NORMA_QUANTILE_NEAREST
};

/// Which elements of a row in order are wanted.
typedef struct {
  int64_t size;
  int64_t count;        // of ranks
  const double *ranks;  // from 0; or fractions of the last rank
  int is_fraction;
  int nan_rule;
  int interpolation;
} norma_ranks;

/// Bytes of scratch memory for rows whose elements have `width` bytes.
int64_t norma_sort_scratch(int64_t width, int64_t size);

#define NORMA_SORTING(T, s)                                                                      \
  /* The rows `begin ..< end` in order, and where the elements stood. Rows of 32-bit types have  \
     less than 2^32 elements. */                                                                 \
  void norma_sort_rows_##s(                                                                      \
      const norma_order *order, const T *x, T *values, int64_t *places, void *scratch,           \
      int64_t begin, int64_t end);                                                               \
  /* The same where no more than half of a row is wanted, and at least one element. */           \
  void norma_first_of_rows_##s(                                                                  \
      const norma_order *order, const T *x, T *values, int64_t *places, void *scratch,           \
      int64_t begin, int64_t end);                                                               \
  /* For each rank the element below and, unless NULL, above, where they stand, and the weight   \
     of the one above. */                                                                        \
  void norma_select_rows_##s(                                                                    \
      const norma_ranks *ranks, const T *x, T *low, int64_t *low_places, T *_Nullable high,      \
      int64_t *_Nullable high_places, double *_Nullable weights, void *scratch, int64_t begin,   \
      int64_t end);                                                                              \
  /* The most frequent element of each row, the smallest of several, and its last place. */      \
  void norma_mode_rows_##s(                                                                      \
      int64_t size, const T *x, T *values, int64_t *places, void *scratch, int64_t begin,        \
      int64_t end);                                                                              \
  /* Of elements in order that stood at `places`: the different ones, in place; the number of    \
     the own one for each place; how often each is there. Returns how many there are. No NaN     \
     equals another. */                                                                          \
  int64_t norma_runs_##s(                                                                        \
      int64_t count, T *sorted, const int64_t *places, int64_t *inverse, int64_t *counts);       \
  /* The numbers of `count` slices of `width` elements in lexicographic order; `spare` is as     \
     long. */                                                                                    \
  void norma_order_slices_##s(                                                                   \
      int64_t count, int64_t width, const T *x, int64_t *order, int64_t *spare);                 \
  /* The same as the runs of elements, of slices in order: leaves the numbers of the different     \
     ones in `order`. */                                                                         \
  int64_t norma_slice_runs_##s(                                                                  \
      int64_t count, int64_t width, const T *x, int64_t *order, int64_t *inverse,                \
      int64_t *counts);
NORMA_SORTING(float, f32)
NORMA_SORTING(double, f64)
NORMA_SORTING(int64_t, i64)
NORMA_SORTING(int32_t, i32)
NORMA_SORTING(uint8_t, u8)
#undef NORMA_SORTING

#pragma clang assume_nonnull end
