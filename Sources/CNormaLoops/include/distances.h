#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// The terms of a distance: the number of components that differ, the magnitudes of the
/// differences, or their squares, which are summed; or the largest magnitude.
enum {
  NORMA_DISTANCE_COUNT,
  NORMA_DISTANCE_SUM,
  NORMA_DISTANCE_ROOT,
  NORMA_DISTANCE_LARGEST,
};

/// The vectors of two matrices, of `depth` components each. Strides are in elements and may have
/// any value.
typedef struct {
  int64_t rows, columns, depth;
  int64_t a_row, a_element, b_row, b_element;
} norma_distances;

/// Units of work of a pair of matrices. What a unit computes depends only on its index.
int64_t norma_distance_units(const norma_distances *shape);

/// The scratch memory of a unit, reusable for the next one, aligned to 64 bytes.
int64_t norma_distance_scratch_bytes(const norma_distances *shape);

/// For units `begin ..< end`, the distances between rows of `a` and rows of `b`: dense
/// `result[i, j]`. Types are NORMA_F32 and NORMA_F64. Differences and sums in double, component by
/// component from the first, rounded once; NaN propagates.
void norma_run_distances(
    int type, const norma_distances *shape, int kind, const void *a, const void *b, void *result,
    int64_t begin, int64_t end, void *scratch);

/// Gradients of distances of the kinds sum and root, with a weight for each pair of vectors: for
/// units `begin ..< end` the sums over `j` of `weights[i, j]` times the sign of
/// `a[i, k] - b[j, k]`, or times the difference; dense `result[i, k]`. In double from the first `j`
/// on, rounded once.
int64_t norma_distance_slope_units(const norma_distances *shape);
int64_t norma_distance_slope_scratch_bytes(const norma_distances *shape);
void norma_run_distance_slopes(
    int type, const norma_distances *shape, int kind, const void *a, const void *b,
    const double *weights, int64_t weights_row, int64_t weights_column, void *result,
    int64_t begin, int64_t end, void *scratch);

#pragma clang assume_nonnull end
