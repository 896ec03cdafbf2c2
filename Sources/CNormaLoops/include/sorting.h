// Sorting within contiguous rows of `size` elements, of the types NORMA_F32 to NORMA_U8 (loops.h).
//
// Everything is done with integers in the order of the elements: NaN, whatever its sign, is above
// all others, and -0 equals 0. Equal elements keep their order. Sorting is integer work without
// vectors, in one loop for all instruction sets; selection counts in vectors.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// What to sort.
typedef struct {
  int64_t size;
  int64_t wanted;  // how many of each row, in order; `size` for all of them
  int descending;
} norma_order;

/// How NaN is treated: it is the largest element, it is the result, or it does not count.
enum norma_nan_rule { NORMA_NAN_LAST, NORMA_NAN_WINS, NORMA_NAN_IGNORED };

enum norma_interpolation {
  NORMA_QUANTILE_LINEAR,
  NORMA_QUANTILE_LOWER,
  NORMA_QUANTILE_HIGHER,
  NORMA_QUANTILE_MIDPOINT,
  NORMA_QUANTILE_NEAREST
};

/// The ranks of the elements to select from a sorted row.
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

/// Sorts the rows `begin ..< end`, and writes the indices of the elements. Rows of 32-bit types
/// have less than 2^32 elements.
void norma_sort_rows(
    int type, const norma_order *order, const void *x, void *values, int64_t *indices,
    void *scratch, int64_t begin, int64_t end);

/// The same if at least one element and at most half of a row are wanted.
void norma_first_of_rows(
    int type, const norma_order *order, const void *x, void *values, int64_t *indices,
    void *scratch, int64_t begin, int64_t end);

/// For each rank the elements below and, unless NULL, above it, their indices, and the weight of
/// the one above.
void norma_select_rows(
    int type, const norma_ranks *ranks, const void *x, void *low, int64_t *low_indices,
    void *_Nullable high, int64_t *_Nullable high_indices, double *_Nullable weights,
    void *scratch, int64_t begin, int64_t end);

/// The most frequent element of each row, the smallest if there are several, and its last index.
void norma_mode_rows(
    int type, int64_t size, const void *x, void *values, int64_t *indices, void *scratch,
    int64_t begin, int64_t end);

/// Moves the distinct elements of `sorted` to its front, and returns their number. `indices` has
/// the original indices of the sorted elements. Writes the count of each distinct element, and for
/// every original index the index of its value among them. A NaN equals no other.
int64_t norma_runs(
    int type, int64_t count, void *sorted, const int64_t *indices, int64_t *inverse,
    int64_t *counts);

/// The indices of `count` slices of `width` elements in lexicographic order; `spare` is as long.
void norma_order_slices(
    int type, int64_t count, int64_t width, const void *x, int64_t *order, int64_t *spare);

/// The same as `norma_runs` for sorted slices: leaves the indices of the distinct ones in `order`.
int64_t norma_slice_runs(
    int type, int64_t count, int64_t width, const void *x, int64_t *order, int64_t *inverse,
    int64_t *counts);

#pragma clang assume_nonnull end
