#include <string.h>

#include "worker.h"

static size_t result_width(const norma_sink *sink) {
  switch (sink->kind) {
    case NORMA_SUM:
    case NORMA_CENTERED_SUM:
    case NORMA_PRODUCT:
    case NORMA_MOMENTS: return 8;
    default: return sink->type == NORMA_U8 ? 1
                    : sink->type == NORMA_F32 || sink->type == NORMA_I32 ? 4 : 8;
  }
}

static ptrdiff_t pitch_of(const norma_program *p, int value, ptrdiff_t columns) {
  for (int k = 0; k < p->input_count; k++) {
    const norma_operand *in = &p->inputs[k];
    if (in->value == value && in->pitched) return in->row / in->width;
  }
  return columns;
}

static int keeps_lost(const norma_sink *sink) {
  return sink->kind == NORMA_MOMENTS && sink->type == NORMA_F64;
}

// Multiplies products of real type or of integers, which wrap, with those of another part.
static void multiply(int type, size_t outputs, void *result, const void *from) {
  if (type <= NORMA_F64) {
    for (size_t j = 0; j < outputs; j++) ((double *)result)[j] *= ((const double *)from)[j];
  } else {
    for (size_t j = 0; j < outputs; j++) ((uint64_t *)result)[j] *= ((const uint64_t *)from)[j];
  }
}

// Adds a tile to the results of its chunk; `seen` values a result were added before.
static void reduce_tile(
    norma_worker *w, const norma_sink *sink, char *result, double *m2, double *lost,
    ptrdiff_t seen, ptrdiff_t rows, ptrdiff_t columns) {
  const void *values = w->values[sink->value];
  const norma_reductions *loops = sink->loops;
  const size_t width = result_width(sink);
  const int by_column = w->program->columns_kept;
  const size_t outputs = by_column ? (size_t)columns : 1;
  const size_t pitch = (size_t)pitch_of(w->program, sink->value, columns);
  const size_t n = by_column ? (size_t)rows : (size_t)(rows * columns);
  double sums[NORMA_BLOCK], m2s[NORMA_BLOCK], rest[NORMA_BLOCK];
  switch (sink->kind) {
    case NORMA_SUM:
      if (by_column) loops->column_sum((size_t)rows, outputs, pitch, values, sums);
      else loops->sum(n, values, sums);
      if (seen == 0) {
        memcpy(result, sums, outputs * width);
      } else if (sink->type <= NORMA_F64) {
        for (size_t j = 0; j < outputs; j++) ((double *)result)[j] += sums[j];
      } else {
        for (size_t j = 0; j < outputs; j++) ((uint64_t *)result)[j] += ((uint64_t *)sums)[j];
      }
      break;
    case NORMA_CENTERED_SUM: {
      const void *g = w->values[sink->companion], *center = w->values[sink->center];
      if (by_column) {
        const size_t pitch_g = (size_t)pitch_of(w->program, sink->companion, columns);
        loops->column_centered_sum((size_t)rows, outputs, pitch, values, pitch_g, g, center, sums);
      } else {
        loops->centered_sum(n, values, g, center, sums);
      }
      if (seen == 0) memcpy(result, sums, outputs * width);
      else for (size_t j = 0; j < outputs; j++) ((double *)result)[j] += sums[j];
      break;
    }
    case NORMA_PRODUCT:
      if (by_column) loops->column_product((size_t)rows, outputs, pitch, values, sums);
      else loops->product(n, values, sums);
      if (seen == 0) memcpy(result, sums, outputs * width);
      else multiply(sink->type, outputs, result, sums);
      break;
    case NORMA_MOMENTS:
      if (by_column) loops->column_moments((size_t)rows, outputs, pitch, values, sums, m2s, rest);
      else loops->moments(n, values, sums, m2s, rest);
      if (seen == 0) {
        memcpy(result, sums, outputs * 8);
        memcpy(m2, m2s, outputs * 8);
        if (lost) memcpy(lost, rest, outputs * 8);
      } else {
        norma_merge_moments(outputs, (double)seen, (double *)result, m2, lost, (double)n, sums, m2s,
                            rest);
      }
      break;
    default: {
      if (seen == 0) memcpy(result, values, outputs * width);
      int least = sink->kind == NORMA_REDUCE_MINIMUM;
      if (by_column) {
        (least ? loops->column_minimum : loops->column_maximum)(
            (size_t)rows, outputs, pitch, values, result);
      } else {
        (least ? loops->minimum : loops->maximum)(n, values, result);
      }
    }
  }
}

// Runs tile number `tile` of an output, `at` in the results of its chunk, and adds it to them.
// Returns how many values a result has now seen.
static ptrdiff_t add_tile(
    norma_worker *w, ptrdiff_t kept, ptrdiff_t strip, ptrdiff_t chunk, ptrdiff_t tile,
    ptrdiff_t seen) {
  const norma_program *p = w->program;
  const norma_space *s = &p->space;
  const ptrdiff_t column_count = p->columns_kept ? 1 : p->column_tiles;
  const ptrdiff_t above = tile / column_count, reduced = above / p->row_tiles;
  const ptrdiff_t column = (p->columns_kept ? strip : tile - above * column_count) * s->tile_columns;
  const ptrdiff_t row = (above - reduced * p->row_tiles) * s->tile_rows;
  norma_worker_move(w, kept * p->inner_count + reduced);
  const ptrdiff_t rows = s->rows - row < s->tile_rows ? s->rows - row : s->tile_rows;
  const ptrdiff_t columns =
      s->columns - column < s->tile_columns ? s->columns - column : s->tile_columns;
  norma_worker_run_tile(w, row, rows, column, columns);
  // Where the results of this chunk begin, counted in results.
  const ptrdiff_t at = p->columns_kept
      ? (kept * p->chunk_count + chunk) * s->columns + strip * s->tile_columns
      : kept * p->chunk_count + chunk;
  for (int k = 0; k < p->sink_count; k++) {
    const norma_sink *sink = &p->sinks[k];
    if (p->locals) {
      reduce_tile(w, sink, w->scratch + sink->local,
                  sink->kind == NORMA_MOMENTS ? (double *)(w->scratch + sink->local_m2) : NULL,
                  keeps_lost(sink) ? (double *)(w->scratch + sink->local_lost) : NULL, seen, rows,
                  columns);
      continue;
    }
    const int is_partial = p->chunk_count > 1;
    char *base = is_partial ? sink->partial : sink->result;
    double *m2 = is_partial ? sink->partial_m2 : sink->m2;
    double *lost = is_partial ? sink->partial_lost : sink->lost;
    reduce_tile(w, sink, base + at * (ptrdiff_t)result_width(sink), m2 ? m2 + at : NULL,
                lost ? lost + at : NULL, seen, rows, columns);
  }
  return seen + (p->columns_kept ? rows : rows * columns);
}

void norma_worker_run_reduction(norma_worker *w, ptrdiff_t unit) {
  const norma_program *p = w->program;
  const ptrdiff_t chunk = unit % p->chunk_count;
  const ptrdiff_t output = unit / p->chunk_count;  // kept index, strip
  const ptrdiff_t strips = p->columns_kept ? p->column_tiles : 1;
  const ptrdiff_t last = p->tiles_per_output, end = (chunk + 1) * p->chunk;
  ptrdiff_t seen = 0;
  for (ptrdiff_t tile = chunk * p->chunk; tile < end && tile < last; tile++) {
    seen = add_tile(w, output / strips, output % strips, chunk, tile, seen);
  }
}

void norma_worker_run_interleaved(norma_worker *w, ptrdiff_t unit) {
  const norma_program *p = w->program;
  const ptrdiff_t count = p->kept_count;
  const ptrdiff_t first = unit * p->interleave;
  const ptrdiff_t past = first + p->interleave < count ? first + p->interleave : count;
  const ptrdiff_t last = p->tiles_per_output, per_row = p->column_tiles;
  for (ptrdiff_t chunk = 0; chunk < p->chunk_count; chunk++) {
    const ptrdiff_t end = (chunk + 1) * p->chunk < last ? (chunk + 1) * p->chunk : last;
    ptrdiff_t seen = 0;
    for (ptrdiff_t tile = chunk * p->chunk; tile < end;) {
      // A row of every output, then the next row.
      const ptrdiff_t row_end = (tile / per_row + 1) * per_row;
      const ptrdiff_t stop = row_end < end ? row_end : end;
      ptrdiff_t next = seen;
      for (ptrdiff_t kept = first; kept < past; kept++) {
        next = seen;
        for (ptrdiff_t t = tile; t < stop; t++) next = add_tile(w, kept, 0, chunk, t, next);
      }
      seen = next, tile = stop;
    }
  }
}

// How many values one result of a chunk stands for.
static double chunk_values(const norma_program *p, ptrdiff_t chunk) {
  const norma_space *s = &p->space;
  const ptrdiff_t column_count = p->columns_kept ? 1 : p->column_tiles, row_count = p->row_tiles;
  const ptrdiff_t last = p->tiles_per_output, end = (chunk + 1) * p->chunk;
  double values = 0;
  for (ptrdiff_t tile = chunk * p->chunk; tile < end && tile < last; tile++) {
    ptrdiff_t row = tile / column_count % row_count * s->tile_rows;
    ptrdiff_t rows = s->rows - row < s->tile_rows ? s->rows - row : s->tile_rows;
    if (p->columns_kept) {
      values += (double)rows;
      continue;
    }
    ptrdiff_t column = tile % column_count * s->tile_columns;
    ptrdiff_t columns =
        s->columns - column < s->tile_columns ? s->columns - column : s->tile_columns;
    values += (double)(rows * columns);
  }
  return values;
}

void norma_merge_chunks(const norma_program *p, ptrdiff_t kept) {
  if (p->chunk_count <= 1) return;
  const ptrdiff_t outputs = p->columns_kept ? p->space.columns : 1;
  for (int k = 0; k < p->sink_count; k++) {
    const norma_sink *sink = &p->sinks[k];
    const ptrdiff_t width = (ptrdiff_t)result_width(sink), first = kept * p->chunk_count * outputs;
    char *result = sink->result + kept * outputs * width;
    double *m2 = sink->m2 ? sink->m2 + kept * outputs : NULL;
    memcpy(result, sink->partial + first * width, (size_t)(outputs * width));
    double *lost = sink->lost ? sink->lost + kept * outputs : NULL;
    if (m2) memcpy(m2, sink->partial_m2 + first, (size_t)outputs * 8);
    if (lost) memcpy(lost, sink->partial_lost + first, (size_t)outputs * 8);
    double seen = chunk_values(p, 0);
    for (ptrdiff_t chunk = 1; chunk < p->chunk_count; chunk++) {
      const ptrdiff_t at = first + chunk * outputs;
      const char *from = sink->partial + at * width;
      switch (sink->kind) {
        case NORMA_SUM:
        case NORMA_CENTERED_SUM:
          if (sink->type <= NORMA_F64) {
            for (ptrdiff_t j = 0; j < outputs; j++) ((double *)result)[j] += ((double *)from)[j];
          } else {
            for (ptrdiff_t j = 0; j < outputs; j++) {
              ((uint64_t *)result)[j] += ((uint64_t *)from)[j];
            }
          }
          break;
        case NORMA_MOMENTS: {
          double count = chunk_values(p, chunk);
          norma_merge_moments((size_t)outputs, seen, (double *)result, m2, lost, count,
                              (const double *)from, sink->partial_m2 + at,
                              lost ? sink->partial_lost + at : NULL);
          seen += count;
          break;
        }
        case NORMA_PRODUCT:
          multiply(sink->type, (size_t)outputs, result, from);
          break;
        case NORMA_REDUCE_MINIMUM:
          sink->loops->column_minimum(1, (size_t)outputs, 0, from, result);
          break;
        case NORMA_REDUCE_MAXIMUM:
          sink->loops->column_maximum(1, (size_t)outputs, 0, from, result);
          break;
      }
    }
  }
}
