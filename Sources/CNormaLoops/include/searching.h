// Positions of values in sorted rows, and counts of values in bins. Types are NORMA_F32 to NORMA_U8
// (loops.h).
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
void norma_run_search(
    int type, const norma_search *search, const void *sorted, const int64_t *_Nullable sorter,
    const void *values, int64_t *indices, int64_t begin, int64_t end);

/// Bins between `bins + 1` edges; each includes its lower edge, and the last both.
typedef struct {
  int64_t bins;
  const double *edges;
  int uniform;  // all of equal width
  int exact;    // uniform bins: compares with edges instead of relying on a division
} norma_bins;

/// Adds 1, or its weight, to the bin of every value within the edges; NORMA_F32 or NORMA_F64.
void norma_histogram(
    int type, const norma_bins *bins, int64_t count, const void *x,
    const double *_Nullable weights, double *sums);

#pragma clang assume_nonnull end
