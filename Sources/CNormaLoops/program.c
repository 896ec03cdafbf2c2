#include "program.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

// What a thread knows while it runs tiles.
typedef struct {
  const norma_program *program;
  char *scratch;
  const void *values[NORMA_MAX_VALUES];
  const char *bases[NORMA_MAX_VALUES];    // inputs at the current outer index
  char *output_bases[NORMA_MAX_VALUES];
  ptrdiff_t outer, row;                   // the current outer index (-1 at first) and row
  int moved;                              // single instructions have to run again
  const void *locals[2 * NORMA_MAX_SINKS];  // results of the program before
  // What lies in an input's scratch block, to keep it while tiles repeat it.
  const char *copied[NORMA_MAX_VALUES];
  ptrdiff_t copied_rows[NORMA_MAX_VALUES], copied_columns[NORMA_MAX_VALUES];
} norma_worker;

static ptrdiff_t ceiling(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

static ptrdiff_t product(const ptrdiff_t *sizes, int from, int to) {
  ptrdiff_t result = 1;
  for (int d = from; d < to; d++) result *= sizes[d];
  return result;
}

void norma_program_measure(norma_program *p) {
  const norma_space *s = &p->space;
  p->row_tiles = ceiling(s->rows, s->tile_rows);
  p->column_tiles = ceiling(s->columns, s->tile_columns);
  p->kept_count = product(s->size, 0, s->kept_rank);
  p->inner_count = product(s->size, s->kept_rank, s->rank);
  p->tiles_per_output = p->inner_count * p->row_tiles * (p->columns_kept ? 1 : p->column_tiles);
  if (p->sink_count == 0) {
    p->chunk_count = 1;
    p->unit_count = p->kept_count * p->inner_count * p->row_tiles * p->column_tiles;
    return;
  }
  p->chunk_count = ceiling(p->tiles_per_output, p->chunk);
  p->unit_count = p->interleave ? ceiling(p->kept_count, p->interleave)
                                : p->kept_count * (p->columns_kept ? p->column_tiles : 1) *
                                      p->chunk_count;
}

static void start_worker(norma_worker *w, const norma_program *p) {
  w->program = p;
  w->outer = -1, w->row = 0, w->moved = 1;
  w->scratch = aligned_alloc(64, (p->scratch + 127) / 64 * 64);
  for (int k = 0; k < p->value_count; k++) {
    w->values[k] = p->offsets[k] < 0 ? NULL : w->scratch + p->offsets[k];
  }
  for (int k = 0; k < p->input_count; k++) w->copied[k] = NULL;
}

static void stop_worker(norma_worker *w) { free(w->scratch); }

static void move_to(norma_worker *w, ptrdiff_t outer) {
  if (w->outer == outer) return;
  const norma_program *p = w->program;
  ptrdiff_t index[NORMA_MAX_DIMENSIONS], rest = outer;
  for (int d = p->space.rank - 1; d >= 0; d--) {
    index[d] = rest % p->space.size[d];
    rest /= p->space.size[d];
  }
  for (int k = 0; k < p->input_count; k++) {
    const char *base = p->inputs[k].base;
    for (int d = 0; d < p->space.rank; d++) base += index[d] * p->inputs[k].outer[d];
    w->bases[k] = base;
  }
  for (int k = 0; k < p->output_count; k++) {
    char *base = p->outputs[k].base;
    for (int d = 0; d < p->space.rank; d++) base += index[d] * p->outputs[k].outer[d];
    w->output_bases[k] = base;
  }
  w->outer = outer;
  w->moved = 1;
}

#define COPY_STRIDED(T)                                                        \
  for (ptrdiff_t i = 0; i < rows; i++) {                                       \
    const char *from = source + i * row;                                       \
    T *to = (T *)target + i * columns;                                         \
    if (column == 0) {                                                         \
      const T value = *(const T *)from;                                        \
      for (ptrdiff_t j = 0; j < columns; j++) to[j] = value;                   \
    } else {                                                                   \
      for (ptrdiff_t j = 0; j < columns; j++) to[j] = *(const T *)(from + j * column); \
    }                                                                          \
  }

// Gathers a box of elements into a block.
static void copy_box(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t row, ptrdiff_t column, int width,
    const char *source, char *target) {
  if (column == width) {
    for (ptrdiff_t i = 0; i < rows; i++) {
      memcpy(target + i * columns * width, source + i * row, (size_t)(columns * width));
    }
    return;
  }
  switch (width) {
    case 1: COPY_STRIDED(uint8_t) break;
    case 2: COPY_STRIDED(uint16_t) break;
    case 4: COPY_STRIDED(uint32_t) break;
    case 8: COPY_STRIDED(uint64_t) break;
  }
}

// The same where the columns are several dimensions to the operand: piece by piece of the fastest.
static void copy_split(
    const norma_operand *in, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t columns,
    const char *source, char *target) {
  for (ptrdiff_t i = 0; i < rows; i++) {
    for (ptrdiff_t j = first; j < first + columns;) {
      ptrdiff_t rest = j, offset = 0;
      for (int d = 0; d < in->split_count; d++) {
        offset += rest % in->split_size[d] * in->split_stride[d];
        rest /= in->split_size[d];
      }
      ptrdiff_t piece = in->split_size[0] - j % in->split_size[0];
      if (piece > first + columns - j) piece = first + columns - j;
      copy_box(1, piece, 0, in->split_stride[0], in->width, source + i * in->row + offset, target);
      target += piece * in->width;
      j += piece;
    }
  }
}

// The way back: a block to a box of memory.
static void scatter_box(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t row, ptrdiff_t column, int width,
    const char *source, char *target) {
  for (ptrdiff_t i = 0; i < rows; i++) {
    const char *from = source + i * columns * width;
    char *to = target + i * row;
    if (column == width) {
      memcpy(to, from, (size_t)(columns * width));
      continue;
    }
    for (ptrdiff_t j = 0; j < columns; j++) {
      memcpy(to + j * column, from + j * width, (size_t)width);
    }
  }
}

static void run_tile(
    norma_worker *w, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column, ptrdiff_t columns) {
  const norma_program *p = w->program;
  w->moved |= p->singles_by_row && w->row != row;
  w->row = row;
  for (int k = 0; k < p->input_count; k++) {
    const norma_operand *in = &p->inputs[k];
    if (in->local) {
      w->values[in->value] = w->locals[in->local - 1];
      continue;
    }
    const char *source = w->bases[k] + row * in->row + column * in->column;
    int direct = in->single || in->pitched ||
                 (in->split_count == 0 && in->column == in->width && (rows == 1 || in->row == columns * in->width));
    if (direct) {
      w->values[in->value] = source;
      continue;
    }
    char *target = w->scratch + p->offsets[in->value];
    w->values[in->value] = target;
    if (in->split_count) {
      copy_split(in, rows, column, columns, w->bases[k] + row * in->row, target);
      continue;
    }
    if (w->copied[k] == source && w->copied_rows[k] == rows && w->copied_columns[k] == columns) {
      continue;
    }
    copy_box(rows, columns, in->row, in->column, in->width, source, target);
    w->copied[k] = source, w->copied_rows[k] = rows, w->copied_columns[k] = columns;
  }
  for (int k = 0; k < p->output_count; k++) {
    const norma_operand *out = &p->outputs[k];
    if (!out->direct) continue;
    w->values[out->value] = w->output_bases[k] + row * out->row + column * out->column;
  }
  const size_t n = (size_t)(rows * columns);
  for (int k = 0; k < p->instruction_count; k++) {
    const norma_instruction *step = &p->instructions[k];
    if (step->single && !w->moved) continue;
    const void *operands[5];
    for (int o = 0; o < step->operand_count; o++) operands[o] = w->values[step->operands[o]];
    step->loop(step->single ? 1 : n, operands, (void *)w->values[step->result]);
  }
  w->moved = 0;
  for (int k = 0; k < p->output_count; k++) {
    const norma_operand *out = &p->outputs[k];
    if (out->direct) continue;
    scatter_box(rows, columns, out->row, out->column, out->width, w->values[out->value],
                w->output_bases[k] + row * out->row + column * out->column);
  }
}

// Tiles of an elementwise program are counted: outer index, row tile, column tile.
static void run_elementwise(norma_worker *w, ptrdiff_t tile) {
  const norma_space *s = &w->program->space;
  const ptrdiff_t above = tile / w->program->column_tiles, outer = above / w->program->row_tiles;
  ptrdiff_t column = (tile - above * w->program->column_tiles) * s->tile_columns;
  ptrdiff_t row = (above - outer * w->program->row_tiles) * s->tile_rows;
  move_to(w, outer);
  ptrdiff_t rows = s->rows - row < s->tile_rows ? s->rows - row : s->tile_rows;
  ptrdiff_t columns =
      s->columns - column < s->tile_columns ? s->columns - column : s->tile_columns;
  run_tile(w, row, rows, column, columns);
}

// Reductions.

static size_t result_width(const norma_sink *sink) {
  switch (sink->kind) {
    case NORMA_SUM:
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

// Adds a tile to the results of its chunk; `seen` values a result were added before.
static void reduce_tile(
    norma_worker *w, const norma_sink *sink, char *result, double *m2, ptrdiff_t seen,
    ptrdiff_t rows, ptrdiff_t columns) {
  const void *values = w->values[sink->value];
  const norma_reductions *loops = sink->loops;
  const size_t width = result_width(sink);
  const int by_column = w->program->columns_kept;
  const size_t outputs = by_column ? (size_t)columns : 1;
  const size_t pitch = (size_t)pitch_of(w->program, sink->value, columns);
  const size_t n = by_column ? (size_t)rows : (size_t)(rows * columns);
  double sums[NORMA_BLOCK], m2s[NORMA_BLOCK];
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
    case NORMA_MOMENTS:
      if (by_column) loops->column_moments((size_t)rows, outputs, pitch, values, sums, m2s);
      else loops->moments(n, values, sums, m2s);
      if (seen == 0) {
        memcpy(result, sums, outputs * 8);
        memcpy(m2, m2s, outputs * 8);
      } else {
        norma_merge_moments(outputs, (double)seen, (double *)result, m2, (double)n, sums, m2s);
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
  move_to(w, kept * p->inner_count + reduced);
  const ptrdiff_t rows = s->rows - row < s->tile_rows ? s->rows - row : s->tile_rows;
  const ptrdiff_t columns =
      s->columns - column < s->tile_columns ? s->columns - column : s->tile_columns;
  run_tile(w, row, rows, column, columns);
  // Where the results of this chunk begin, counted in results.
  const ptrdiff_t at = p->columns_kept
      ? (kept * p->chunk_count + chunk) * s->columns + strip * s->tile_columns
      : kept * p->chunk_count + chunk;
  for (int k = 0; k < p->sink_count; k++) {
    const norma_sink *sink = &p->sinks[k];
    if (p->locals) {
      reduce_tile(w, sink, w->scratch + sink->local,
                  sink->kind == NORMA_MOMENTS ? (double *)(w->scratch + sink->local_m2) : NULL,
                  seen, rows, columns);
      continue;
    }
    char *base = p->chunk_count > 1 ? sink->partial : sink->result;
    double *m2 = p->chunk_count > 1 ? sink->partial_m2 : sink->m2;
    reduce_tile(w, sink, base + at * (ptrdiff_t)result_width(sink), m2 ? m2 + at : NULL, seen,
                rows, columns);
  }
  return seen + (p->columns_kept ? rows : rows * columns);
}

// One chunk of tiles of one output, or of one strip of columns.
static void run_reduction(norma_worker *w, ptrdiff_t unit) {
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

// All chunks of neighbouring outputs, row by row: where an output's rows lie apart in memory
// with those of its neighbours between them, this is the order of memory.
static void run_interleaved(norma_worker *w, ptrdiff_t unit) {
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

// Merges the chunks of the outputs of one kept index in order.
static void merge_chunks(const norma_program *p, ptrdiff_t kept) {
  if (p->chunk_count <= 1) return;
  const ptrdiff_t outputs = p->columns_kept ? p->space.columns : 1;
  for (int k = 0; k < p->sink_count; k++) {
    const norma_sink *sink = &p->sinks[k];
    const ptrdiff_t width = (ptrdiff_t)result_width(sink), first = kept * p->chunk_count * outputs;
    char *result = sink->result + kept * outputs * width;
    double *m2 = sink->m2 ? sink->m2 + kept * outputs : NULL;
    memcpy(result, sink->partial + first * width, (size_t)(outputs * width));
    if (m2) memcpy(m2, sink->partial_m2 + first, (size_t)outputs * 8);
    double seen = chunk_values(p, 0);
    for (ptrdiff_t chunk = 1; chunk < p->chunk_count; chunk++) {
      const ptrdiff_t at = first + chunk * outputs;
      const char *from = sink->partial + at * width;
      switch (sink->kind) {
        case NORMA_SUM:
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
          norma_merge_moments((size_t)outputs, seen, (double *)result, m2, count,
                              (const double *)from, sink->partial_m2 + at);
          seen += count;
          break;
        }
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

// Threads take units in order, a few at a time.

typedef struct {
  const norma_program *first, *second;  // second: only for slices
  ptrdiff_t count, grain;
  _Atomic ptrdiff_t next;
} norma_region;

static void run_slice(norma_worker *a, norma_worker *b, ptrdiff_t kept) {
  const norma_program *p = a->program, *q = b->program;
  for (ptrdiff_t chunk = 0; chunk < p->chunk_count; chunk++) {
    run_reduction(a, kept * p->chunk_count + chunk);
  }
  merge_chunks(p, kept);
  const ptrdiff_t tiles = q->unit_count / q->kept_count;
  // The rows that were read last come first: they are the nearest. Within a row forwards, as
  // prefetching expects.
  const ptrdiff_t columns = q->column_tiles;
  for (ptrdiff_t row = tiles - columns; row >= 0; row -= columns) {
    for (ptrdiff_t tile = row; tile < row + columns; tile++) {
      run_elementwise(b, kept * tiles + tile);
    }
  }
}

// A strip of results, then the program that finishes it.
static void run_finished(norma_worker *a, norma_worker *b, ptrdiff_t unit) {
  run_reduction(a, unit);
  for (int k = 0; k < a->program->sink_count; k++) {
    b->locals[2 * k] = a->scratch + a->program->sinks[k].local;
    b->locals[2 * k + 1] = a->scratch + a->program->sinks[k].local_m2;
  }
  run_elementwise(b, unit);
}

static void run_region(void *context, int index, int count) {
  (void)index, (void)count;
  norma_region *region = context;
  norma_worker first, second;
  ptrdiff_t begin = atomic_fetch_add(&region->next, region->grain);
  if (begin >= region->count) return;
  start_worker(&first, region->first);
  if (region->second) start_worker(&second, region->second);
  while (begin < region->count) {
    ptrdiff_t end = begin + region->grain < region->count ? begin + region->grain : region->count;
    for (ptrdiff_t unit = begin; unit < end; unit++) {
      if (region->first->locals) run_finished(&first, &second, unit);
      else if (region->second) run_slice(&first, &second, unit);
      else if (region->first->interleave) run_interleaved(&first, unit);
      else if (region->first->sink_count) run_reduction(&first, unit);
      else run_elementwise(&first, unit);
    }
    begin = atomic_fetch_add(&region->next, region->grain);
  }
  stop_worker(&first);
  if (region->second) stop_worker(&second);
}

static void run_all(norma_region *region, int threads) {
  if (threads > region->count) threads = (int)region->count;
  ptrdiff_t grain = region->count / (threads * 16);
  region->grain = threads <= 1 ? region->count : grain < 1 ? 1 : grain;
  atomic_store(&region->next, 0);
  if (threads <= 1) run_region(region, 0, 1);
  else norma_team_run(run_region, region, threads);
}

void norma_program_run(const norma_program *program, int threads) {
  norma_region region = {.first = program, .second = NULL, .count = program->unit_count};
  run_all(&region, threads);
  if (program->sink_count == 0) return;
  for (ptrdiff_t k = 0; k < program->kept_count; k++) merge_chunks(program, k);
}

void norma_program_run_slices(
    const norma_program *first, const norma_program *second, int threads) {
  norma_region region = {.first = first, .second = second};
  region.count = first->kept_count;
  run_all(&region, threads);
}

void norma_program_run_finished(
    const norma_program *first, const norma_program *second, int threads) {
  norma_region region = {.first = first, .second = second, .count = first->unit_count};
  run_all(&region, threads);
}
