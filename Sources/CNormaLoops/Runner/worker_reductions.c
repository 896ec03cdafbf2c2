#include <string.h>

#include "reduced_tile.h"
#include "worker.h"

static size_t result_width(const norma_sink *sink) {
  return norma_result_width(sink->kind, sink->type);
}

static ptrdiff_t pitch_of(const norma_program *p, int value, ptrdiff_t columns) {
  for (int k = 0; k < p->input_count; k++) {
    const norma_operand *in = &p->inputs[k];
    if (in->value == value && in->pitched) return in->row / in->width;
  }
  return columns;
}

static int keeps_lost(const norma_sink *sink) {
  return sink->kind == NORMA_WEIGHTED_MOMENTS
         || (sink->kind == NORMA_MOMENTS && sink->type == NORMA_F64);
}

// Adds a tile to the results of its chunk, to which `seen` values per result were added before.
static void reduce_tile(
    norma_worker *w, const norma_sink *sink, char *result, double *m2, double *lost,
    ptrdiff_t seen, ptrdiff_t rows, ptrdiff_t columns) {
  const norma_program *p = w->program;
  norma_reduced_tile tile = {
      .kind = sink->kind, .type = sink->type, .loops = sink->loops, .by_column = p->columns_kept,
      .rows = (size_t)rows, .columns = (size_t)columns, .values = w->values[sink->value],
      .pitch = (size_t)pitch_of(p, sink->value, columns)};
  if (sink->kind == NORMA_CENTERED_SUM || sink->kind == NORMA_WEIGHTED_MOMENTS) {
    tile.companion = w->values[sink->companion], tile.center = w->values[sink->center];
    tile.companion_pitch = (size_t)pitch_of(p, sink->companion, columns);
  }
  norma_reduce_tile(&tile, result, m2, lost, seen);
}

// Runs tile number `tile` of an output, and adds it to the results `at` of its chunk. Returns the
// number of values per result so far.
static ptrdiff_t add_tile(
    norma_worker *w, ptrdiff_t kept, ptrdiff_t strip, ptrdiff_t chunk, ptrdiff_t tile,
    ptrdiff_t seen) {
  const norma_program *p = w->program;
  const norma_space *s = &p->space;
  const ptrdiff_t column_count = p->columns_kept ? 1 : p->column_tiles;
  const ptrdiff_t above = tile / column_count, reduced = above / p->row_tiles;
  const ptrdiff_t column_tile = p->columns_kept ? strip : tile - above * column_count;
  const ptrdiff_t column = column_tile * s->tile_columns;
  const ptrdiff_t row = (above - reduced * p->row_tiles) * s->tile_rows;
  norma_worker_move(w, kept * p->inner_count + reduced);
  const ptrdiff_t rows = s->rows - row < s->tile_rows ? s->rows - row : s->tile_rows;
  const ptrdiff_t columns =
      s->columns - column < s->tile_columns ? s->columns - column : s->tile_columns;
  norma_worker_run_tile(w, row, rows, column, columns);
  // The index of the first result of this chunk.
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

int norma_is_of_rows(const norma_program *p) {
  const norma_space *s = &p->space;
  const int down = p->columns_kept;
  if (p->sink_count != 1 || p->instruction_count || p->chunk_count != 1 || s->rank > 1
      || s->kept_rank != s->rank || p->locals || keeps_lost(p->sinks)
      || (down ? p->column_tiles > 1 || p->sinks->kind == NORMA_CENTERED_SUM
               : p->row_tiles > 1 || (s->rows > 1 && p->column_tiles > 1))) {
    return 0;
  }
  for (int k = 0; k < p->input_count; k++) {
    const norma_operand *in = &p->inputs[k];
    const int is_center = p->sinks->kind == NORMA_CENTERED_SUM && in->value == p->sinks->center;
    const int is_one = in->column == 0 && (s->rows == 1 || in->row == 0);
    const int is_whole =
        in->column == in->width && (down || s->rows == 1 || in->row == s->columns * in->width);
    if (in->split_count || !(is_center ? is_one : is_whole)) return 0;
  }
  return 1;
}

void norma_reduce_rows(const norma_program *p, ptrdiff_t begin, ptrdiff_t end) {
  const norma_space *s = &p->space;
  const norma_sink *sink = p->sinks;
  const int down = p->columns_kept;
  norma_reduced_tile tile = {
      .kind = sink->kind, .type = sink->type, .loops = sink->loops, .by_column = down,
      .rows = (size_t)s->rows, .columns = (size_t)s->columns};
  const ptrdiff_t length = down ? s->rows : s->columns;
  const ptrdiff_t step = down ? s->tile_rows : s->tile_columns;
  const ptrdiff_t results = down ? s->columns : 1, width = (ptrdiff_t)result_width(sink);
  for (ptrdiff_t kept = begin; kept < end; kept++) {
    const ptrdiff_t first = kept * results;
    for (ptrdiff_t at = 0; at < length; at += step) {
      const ptrdiff_t some = length - at < step ? length - at : step;
      *(down ? &tile.rows : &tile.columns) = (size_t)some;
      for (int k = 0; k < p->input_count; k++) {
        const norma_operand *in = &p->inputs[k];
        const char *values = p->input_bases[k] + (s->rank ? kept * in->outer[0] : 0)
                           + at * (down ? in->row : in->column);
        if (in->value == sink->value) {
          tile.values = values, tile.pitch = (size_t)(in->row / in->width);
        }
        if (sink->kind != NORMA_CENTERED_SUM) continue;
        if (in->value == sink->companion) tile.companion = values;
        if (in->value == sink->center) tile.center = (const double *)values;
      }
      norma_reduce_tile(
          &tile, sink->result + first * width, sink->m2 ? sink->m2 + first : NULL, NULL,
          at * (down ? 1 : s->rows));
    }
  }
}

// The number of values per result of a chunk.
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
      const double count = chunk_values(p, chunk);
      norma_merge_results(
          sink->kind, sink->type, (size_t)outputs, result, m2, lost, seen, from,
          m2 ? sink->partial_m2 + at : NULL, lost ? sink->partial_lost + at : NULL, count);
      seen += count;
    }
  }
}
