// Loops over windows along the spatial axes: weighted sums along one axis, maxima over several.
// Types are NORMA_F32 and NORMA_F64.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// Weighted sums along one axis of `[outer, inputs, inner]`, giving `[outer, outputs, inner]`.
///
/// Output i is the sum of `weights[k]` times input `indices[k]` for k in
/// `first[i] ..< first[i + 1]`; an empty sum is 0. It is summed in double, in this order, and
/// rounded once.
typedef struct {
  int64_t inputs, outputs, inner;
  const int32_t *first, *indices;
  const double *weights;
} norma_axis_map;

/// Computes the rows `begin ..< end` of `outer * outputs` rows of `inner` elements.
void norma_run_axis_map(
    int type, const norma_axis_map *map, const void *input, void *output, int64_t begin,
    int64_t end);

/// Windows over three axes of `[batch, space, channels]`, whose channels are adjacent.
///
/// The window of output i along an axis contains the inputs `first[i] + k * step` for k below
/// `lengths[i]`, all of them in range.
typedef struct {
  int64_t channels;
  int64_t inputs[3], outputs[3], step[3];
  const int32_t *_Nonnull first[3];
  const int32_t *_Nonnull lengths[3];
} norma_windows;

/// The largest element of each window, and its first index among the input's spatial elements,
/// unless there is no memory for indices. A NaN is larger than anything, and the last one counts.
/// An empty window gives -inf and index -1. Computes the lines `begin ..< end` of windows along the
/// last axis, of which a sample has `outputs[0] * outputs[1]`.
void norma_max_pool(
    int type, const norma_windows *windows, const void *input, void *output,
    int32_t *_Nullable indices, int64_t begin, int64_t end);

/// `wide[n, indices[n, i, c], c] += narrow[n, i, c]` for samples `begin ..< end`, where `wide` has
/// `wide_space` spatial elements and starts as 0.
void norma_scatter_elements(
    int type, int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *indices,
    const void *narrow, void *wide, int64_t begin, int64_t end);

/// `narrow[n, i, c] = wide[n, indices[n, i, c], c]` for samples `begin ..< end`.
void norma_gather_elements(
    int type, int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *indices,
    const void *wide, void *narrow, int64_t begin, int64_t end);

#pragma clang assume_nonnull end
