// Positions of values in sorted rows, and counts of values in bins.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct {
  int64_t size;     // of a sorted row
  int64_t per_row;  // values that are looked up in each row
  int shared;       // all rows of values look into one sorted row
  int right;        // after equal elements, not before them
} norma_search;

/// For the values `begin ..< end`, the index of the first element that is not less, or, with
/// `right`, that is greater; NaN goes to the end. `sorter` is the order of rows that are not
/// sorted.
#define NORMA_SEARCH(T, s)                                                                       \
  void norma_search_##s(                                                                         \
      const norma_search *search, const T *sorted, const int64_t *_Nullable sorter,              \
      const T *values, int64_t *indices, int64_t begin, int64_t end);
NORMA_SEARCH(float, f32)
NORMA_SEARCH(double, f64)
NORMA_SEARCH(int64_t, i64)
NORMA_SEARCH(int32_t, i32)
NORMA_SEARCH(uint8_t, u8)
#undef NORMA_SEARCH

/// Bins between `bins + 1` edges; each includes its lower edge, and the last both.
typedef struct {
  int64_t bins;
  const double *edges;
  int uniform;  // all of equal width
  int exact;    // uniform bins: compares with edges instead of relying on a division
} norma_bins;

/// Adds 1, or its weight, to the bin of every value within the edges.
void norma_histogram_f32(
    const norma_bins *bins, int64_t count, const float *x, const double *_Nullable weights,
    double *sums);
void norma_histogram_f64(
    const norma_bins *bins, int64_t count, const double *x, const double *_Nullable weights,
    double *sums);

#pragma clang assume_nonnull end
