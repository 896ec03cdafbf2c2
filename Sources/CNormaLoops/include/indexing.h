// Gathering and scattering along an axis.
//
// The wide side is `[outer, size, inner]`, the narrow one `[outer, count, inner]`, and every
// element of the narrow one has an index along the axis of the wide one. All sides have strides of
// their own, in elements; a stride of 0 repeats. Each function does a part of the work, so that
// threads need not wait for each other: parts never write to the same element, and everything for
// one element is written in order, however the work is divided.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct {
  int64_t outer, count, inner, size;
  int64_t index[3];   // Of the indices: along outer, count, inner.
  int64_t narrow[3];  // Along outer, count, inner.
  int64_t wide[3];    // Along outer, size, inner.
  /// Whether negative indices count from the end.
  int32_t wraps;
} norma_indices;

/// The part of the work: ranges of the outer axes, of the inner ones, and of the indices.
typedef struct {
  int64_t outer[2], inner[2], axis[2];
} norma_indices_part;

/// Returned if all indices were in range; otherwise functions return the number of the first
/// element, in the order of the narrow side, whose index is not, and skip such elements.
#define NORMA_ALL_INSIDE INT64_MAX

/// `narrow[o, k, i] = wide[o, indices[o, k, i], i]` for the rows `begin ..< end` of `outer * count`
/// and the inner elements of `part`. The narrow side is dense.
int64_t norma_gather(
    const norma_indices *indices, int width, const int64_t *index, const void *wide, void *narrow,
    int64_t begin, int64_t end, const norma_indices_part *part);

/// `wide[o, indices[o, k, i], i] = narrow[o, k, i]`; if an index occurs several times, the last is
/// kept.
int64_t norma_scatter(
    const norma_indices *indices, int width, const int64_t *index, const void *narrow, void *wide,
    const norma_indices_part *part);

enum norma_reduction {
  NORMA_COMBINE_ADD,
  NORMA_COMBINE_MULTIPLY,
  NORMA_COMBINE_MIN,
  NORMA_COMBINE_MAX
};

/// The same with the sum, product, minimum or maximum (NaN if either is) of the old and the new
/// element. The narrow side is of NORMA_F32, NORMA_F64 or NORMA_I64, the wide one of double or
/// int64_t.
int64_t norma_combine(
    int type, const norma_indices *indices, int reduction, const int64_t *index,
    const void *narrow, void *wide, const norma_indices_part *part);

/// The same for the outer indices `begin ..< end`, from the elements of `start`, which has the
/// strides of the wide side, to `wide`, which is dense; `room` is scratch for `blocks` times
/// `size * inner` numbers.
int64_t norma_scatter_blocks(
    const norma_indices *indices, int reduction, const int64_t *index, const float *narrow,
    const float *start, float *wide, double *room, int64_t blocks, int64_t begin, int64_t end);

/// For one outer index, if all inner elements have the same index: `order` gets the numbers of the
/// narrow side sorted by index, those with index t from `starts[t]` up to `starts[t + 1]`. `starts`
/// has `size + 2` elements. Returns at the first index that is out of range, with its number.
int64_t norma_sort_indices(
    const norma_indices *indices, const int64_t *index, int64_t *starts, int64_t *order);

/// The sums (or products, ...) of such elements for the indices `begin ..< end` of one outer index.
void norma_scatter_sorted(
    const norma_indices *indices, int reduction, const int64_t *starts, const int64_t *order,
    const float *narrow, const float *start, float *wide, int64_t begin, int64_t end);

/// The number of the first index that is out of range; only the index side is read.
int64_t norma_check_indices(const norma_indices *indices, const int64_t *index);

/// The number of nonzero bytes in `begin ..< end`.
int64_t norma_count_true(const uint8_t *bytes, int64_t begin, int64_t end);

/// Writes the indices of those bytes.
void norma_list_true(const uint8_t *bytes, int64_t begin, int64_t end, int64_t *out);

/// The multi-indices in a row-major shape of the elements with the indices in `begin ..< end` of
/// `flat`: `rank` integers each.
void norma_unravel(
    int64_t rank, const int64_t *shape, const int64_t *flat, int64_t begin, int64_t end,
    int64_t *out);

/// Quotients of integers by positive integers, rounded down.
void norma_floor_divide_i64(
    int64_t begin, int64_t end, const int64_t *a, const int64_t *b, int64_t *out);

#pragma clang assume_nonnull end
