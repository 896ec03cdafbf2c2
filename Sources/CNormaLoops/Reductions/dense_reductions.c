#include "dense_reductions.h"

#include <math.h>
#include <string.h>

#include "parts.h"
#include "reduced_tile.h"

static const double zeros[NORMA_BLOCK];

// How many values in sequence a chunk has of each result.
static int64_t chunk_values(const norma_dense_reduction *r) {
  return r->chunk * (r->by_column ? r->tile_rows : r->tile_columns);
}

int64_t norma_dense_chunks(const norma_dense_reduction *r) {
  return parts(r->by_column ? r->rows : r->columns, chunk_values(r));
}

// Rows, or strips of columns.
static int64_t lines(const norma_dense_reduction *r) {
  return r->by_column ? parts(r->columns, r->tile_columns) : r->rows;
}

int64_t norma_dense_units(const norma_dense_reduction *r) {
  return lines(r) * norma_dense_chunks(r);
}

void norma_reduce_dense(const norma_dense_reduction *r, int64_t begin, int64_t end) {
  const int64_t chunks = norma_dense_chunks(r), per_chunk = chunk_values(r);
  const int64_t count = r->by_column ? r->columns : r->rows;
  const size_t width = norma_result_width(NORMA_REDUCE_MINIMUM, r->type);
  const size_t result_width = norma_result_width(r->kind, r->type);
  double lost[NORMA_BLOCK];
  double *const losts = r->kind == NORMA_MOMENTS && r->type == NORMA_F64 ? lost : NULL;
  norma_reduced_tile tile = {
      .kind = r->kind, .type = r->type, .loops = norma_find_reductions(r->type),
      .by_column = r->by_column, .rows = 1, .pitch = (size_t)r->columns,
      .companion_pitch = (size_t)r->columns, .center = zeros};
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t chunk = unit % chunks, line = unit / chunks;
    const int64_t at = r->by_column ? line * r->tile_columns : line;
    const int64_t place = chunks > 1 ? chunk * count + at : at;
    char *result = (char *)(chunks > 1 ? r->partial : r->result) + (size_t)place * result_width;
    double *squares = chunks > 1 ? r->partial_squares : r->squares;
    if (squares) squares += place;
    const int64_t step = r->by_column ? r->tile_rows : r->tile_columns;
    const int64_t last = smaller((chunk + 1) * per_chunk, r->by_column ? r->rows : r->columns);
    if (r->by_column) tile.columns = (size_t)smaller(r->tile_columns, r->columns - at);
    int64_t seen = 0;
    for (int64_t value = chunk * per_chunk; value < last; value += step) {
      const int64_t some = smaller(step, last - value);
      const int64_t first = r->by_column ? value * r->columns + at : at * r->columns + value;
      if (r->by_column) tile.rows = (size_t)some;
      else tile.columns = (size_t)some;
      tile.values = (const char *)r->values + (size_t)first * width;
      if (r->companion) tile.companion = (const char *)r->companion + (size_t)first * width;
      norma_reduce_tile(&tile, result, squares, losts, seen);
      seen += some;
    }
  }
}

void norma_merge_dense(const norma_dense_reduction *r) {
  const int64_t chunks = norma_dense_chunks(r), per_chunk = chunk_values(r);
  const int64_t values = r->by_column ? r->rows : r->columns;
  const size_t count = (size_t)(r->by_column ? r->columns : r->rows);
  const size_t bytes = count * norma_result_width(r->kind, r->type);
  if (chunks <= 1) return;
  memcpy(r->result, r->partial, bytes);
  if (r->squares) memcpy(r->squares, r->partial_squares, count * sizeof(double));
  for (int64_t chunk = 1; chunk < chunks; chunk++) {
    norma_merge_results(
        r->kind, r->type, count, r->result, r->squares, NULL, (double)(chunk * per_chunk),
        (const char *)r->partial + (size_t)chunk * bytes,
        r->partial_squares ? r->partial_squares + (size_t)chunk * count : NULL, NULL,
        (double)smaller(per_chunk, values - chunk * per_chunk));
  }
}

void norma_finish_reduction(
    const double *wide, int64_t count, double divisor, int is_root, int type, void *result) {
  for (int64_t i = 0; i < count; i++) {
    const double whole = wide[i] / divisor, value = is_root ? sqrt(whole) : whole;
    if (type == NORMA_F64) ((double *)result)[i] = value;
    else ((float *)result)[i] = (float)value;
  }
}
