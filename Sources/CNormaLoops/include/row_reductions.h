// Reductions of rows that fit a tile, without a program.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// Rows of `columns` adjacent values of a block type; where results of each row go, null for those that
/// nobody wants. Sums and products are double or int64_t; squares go beside sums, of float.
typedef struct {
  int64_t columns;
  int type;
  void *_Nullable sums, *_Nullable products;
  double *_Nullable squares;
  void *_Nullable minimum, *_Nullable maximum;
} norma_row_reductions;

/// Reduces the rows `begin ..< end` by the loops of a tile.
void norma_reduce_rows(
    const norma_row_reductions *rows, const void *values, int64_t begin, int64_t end);

#pragma clang assume_nonnull end
