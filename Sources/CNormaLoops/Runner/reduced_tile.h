// The reduction of one tile, and merging the results of tiles.
#pragma once
#include <stddef.h>

#include "loops.h"
#include "program.h"

// A tile of `rows` by `columns` values: to one result, or to one for every column.
typedef struct {
  int kind, type, by_column;
  const norma_reductions *loops;
  size_t rows, columns;
  const void *values;
  size_t pitch;  // from row to row, where there is a result for every column
  // For centered sums, and, without a center, for weighted moments.
  const void *companion;
  const double *center;
  size_t companion_pitch;
} norma_reduced_tile;

// Adds a tile to results of `seen` values each; sets them if that is 0. `m2` is only used for
// moments, `lost` only for those of double.
void norma_reduce_tile(
    const norma_reduced_tile *tile, void *result, double *m2, double *lost, ptrdiff_t seen);

// The bytes of one result of a kind of reduction of a block type.
size_t norma_result_width(int kind, int type);

// Adds `count` results of a later part, of `more_values` values each, to those of an earlier one,
// of `values` each; `m2` and `lost` as above.
void norma_merge_results(
    int kind, int type, size_t count, void *results, double *m2, double *lost, double values,
    const void *more, const double *more_m2, const double *more_lost, double more_values);
