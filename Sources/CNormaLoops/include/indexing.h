// Elements picked and put by places along an axis.
//
// The wide side is `[outer, size, inner]`, the narrow one `[outer, count, inner]`, and every element
// of the narrow one has a place along the axis of the wide one. All sides have strides of their own,
// in elements; a stride of 0 repeats. Each function does a part of the work, so that threads need not
// wait for each other: parts never write to the same element, and what goes to one element goes
// there in order, whatever the parts are.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct {
  int64_t outer, count, inner, size;
  int64_t index[3];   // Of the places: along outer, count, inner.
  int64_t narrow[3];  // Along outer, count, inner.
  int64_t wide[3];    // Along outer, size, inner.
  /// Whether negative places count from the end.
  int32_t wraps;
} norma_places;

/// What to do: ranges of the outer axes, of the inner ones, and of the places.
typedef struct {
  int64_t outer[2], inner[2], axis[2];
} norma_places_part;

/// Says that all places were inside; else functions give the number of the first element, in the
/// order of the narrow side, whose place is not, and skip such elements.
#define NORMA_ALL_INSIDE INT64_MAX

/// `narrow[o, k, i] = wide[o, places[o, k, i], i]` for the rows `begin ..< end` of `outer * count` and
/// the inner elements of `part`. The narrow side has no gaps.
int64_t norma_gather(
    const norma_places *places, int width, const int64_t *index, const void *wide, void *narrow,
    int64_t begin, int64_t end, const norma_places_part *part);

/// `wide[o, places[o, k, i], i] = narrow[o, k, i]`; of several the last stays.
int64_t norma_scatter(
    const norma_places *places, int width, const int64_t *index, const void *narrow, void *wide,
    const norma_places_part *part);

enum norma_reduction { NORMA_PLACES_ADD, NORMA_PLACES_MULTIPLY, NORMA_PLACES_MIN, NORMA_PLACES_MAX };

/// The same with the sum, product, smaller or larger (NaN if one is) of what was there and what comes.
int64_t norma_scatter_f32(
    const norma_places *places, int reduction, const int64_t *index, const float *narrow,
    double *wide, const norma_places_part *part);
int64_t norma_scatter_f64(
    const norma_places *places, int reduction, const int64_t *index, const double *narrow,
    double *wide, const norma_places_part *part);
int64_t norma_scatter_i64(
    const norma_places *places, int reduction, const int64_t *index, const int64_t *narrow,
    int64_t *wide, const norma_places_part *part);

/// The same for the outer indices `begin ..< end` from what is in `start`, whose distances are those of
/// the wide side, to `wide`, which has no gaps, by way of `room` for `blocks` times `size * inner`
/// numbers.
int64_t norma_scatter_blocks(
    const norma_places *places, int reduction, const int64_t *index, const float *narrow,
    const float *start, float *wide, double *room, int64_t blocks, int64_t begin, int64_t end);

/// For one outer index, where all inner elements have the same place: `order` becomes the numbers of
/// the narrow side sorted by place, those of place t from `starts[t]` up to `starts[t + 1]`. `starts`
/// has room for `size + 2` numbers. The number of the first place that is not inside ends it.
int64_t norma_sort_places(
    const norma_places *places, const int64_t *index, int64_t *starts, int64_t *order);

/// The sums (or products, ...) of such for the places `begin ..< end` of one outer index.
void norma_scatter_sorted(
    const norma_places *places, int reduction, const int64_t *starts, const int64_t *order,
    const float *narrow, const float *start, float *wide, int64_t begin, int64_t end);

/// The number of the first place that is not inside; only the index side is read.
int64_t norma_check_places(const norma_places *places, const int64_t *index);

/// How many of the bytes `begin ..< end` are not 0.
int64_t norma_count_true(const uint8_t *bytes, int64_t begin, int64_t end);

/// Writes the numbers of those bytes.
void norma_list_true(const uint8_t *bytes, int64_t begin, int64_t end, int64_t *out);

/// The positions in a row-major shape of the elements with the numbers `begin ..< end` of `flat`:
/// `rank` integers each.
void norma_unravel(
    int64_t rank, const int64_t *shape, const int64_t *flat, int64_t begin, int64_t end,
    int64_t *out);

/// Quotients of integers by positive ones, rounded down.
void norma_floor_divide_i64(
    int64_t begin, int64_t end, const int64_t *a, const int64_t *b, int64_t *out);

#pragma clang assume_nonnull end
