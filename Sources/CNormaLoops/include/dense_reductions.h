// Reductions of values without gaps, without a program: the same tiles in the same order, so the same bits.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// A matrix of a block type that is reduced along its rows or down its columns.
///
/// Along rows a tile is a part of a row, down columns `tile_rows` rows. `chunk` tiles are merged one after
/// the other, and then chunks.
typedef struct {
  /// One of `norma_reduction_kind`; centred sums are measured from zero.
  int kind;
  int type;
  /// Whether there is a result for every column instead of every row.
  int by_column;
  int64_t rows, columns, tile_rows, tile_columns, chunk;
  const void *values;
  /// Of a centred sum: what is multiplied.
  const void *_Nullable companion;
  /// Double or int64_t; minima and maxima in the block type.
  void *result;
  /// The squared distances beside the sums that `NORMA_MOMENTS` gives.
  double *_Nullable squares;
  /// Room for the results and squares of each chunk, where there are several.
  void *_Nullable partial;
  double *_Nullable partial_squares;
} norma_dense_reduction;

/// How many chunks a result has.
int64_t norma_dense_chunks(const norma_dense_reduction *reduction);

/// How many pieces of work there are: a chunk of a row, or of a strip of columns.
int64_t norma_dense_units(const norma_dense_reduction *reduction);

/// Runs the units `begin ..< end`.
void norma_reduce_dense(const norma_dense_reduction *reduction, int64_t begin, int64_t end);

/// Merges the chunks of all results in order, when all units have run.
void norma_merge_dense(const norma_dense_reduction *reduction);

/// `wide / divisor`, or its root, in float or double.
void norma_finish_reduction(
    const double *wide, int64_t count, double divisor, int is_root, int type, void *result);

#pragma clang assume_nonnull end
