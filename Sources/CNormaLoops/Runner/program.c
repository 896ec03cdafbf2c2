#include "program.h"

#include <stdatomic.h>

#include "copying.h"
#include "team.h"
#include "worker.h"

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

// Threads take units in order, a few at a time.

typedef struct {
  const norma_program *first, *second;  // second: of slices and strips
  ptrdiff_t count, grain;
  int is_of_rows;
  _Atomic ptrdiff_t next;
} norma_region;

static void run_slice(norma_worker *a, norma_worker *b, ptrdiff_t kept) {
  const norma_program *p = a->program, *q = b->program;
  for (ptrdiff_t chunk = 0; chunk < p->chunk_count; chunk++) {
    norma_worker_run_reduction(a, kept * p->chunk_count + chunk);
  }
  norma_merge_chunks(p, kept);
  const ptrdiff_t tiles = q->unit_count / q->kept_count;
  // The rows that were read last come first, because they are still in cache. Within a row
  // forwards, as prefetching expects.
  const ptrdiff_t columns = q->column_tiles;
  for (ptrdiff_t row = tiles - columns; row >= 0; row -= columns) {
    for (ptrdiff_t tile = row; tile < row + columns; tile++) {
      norma_worker_run_elementwise(b, kept * tiles + tile);
    }
  }
}

// A strip of results, then the program that finishes it.
static void run_finished(norma_worker *a, norma_worker *b, ptrdiff_t unit) {
  norma_worker_run_reduction(a, unit);
  for (int k = 0; k < a->program->sink_count; k++) {
    b->locals[2 * k] = a->scratch + a->program->sinks[k].local;
    b->locals[2 * k + 1] = a->scratch + a->program->sinks[k].local_m2;
  }
  norma_worker_run_elementwise(b, unit);
}

static void run_region(void *context, int index, int count) {
  (void)index, (void)count;
  norma_region *region = context;
  norma_worker first, second;
  ptrdiff_t begin = atomic_fetch_add(&region->next, region->grain);
  while (region->is_of_rows && begin < region->count) {
    const ptrdiff_t end = begin + region->grain;
    norma_reduce_rows(region->first, begin, end < region->count ? end : region->count);
    begin = atomic_fetch_add(&region->next, region->grain);
  }
  if (begin >= region->count) return;
  norma_worker_start(&first, region->first);
  if (region->second) norma_worker_start(&second, region->second);
  while (begin < region->count) {
    ptrdiff_t end = begin + region->grain < region->count ? begin + region->grain : region->count;
    for (ptrdiff_t unit = begin; unit < end; unit++) {
      if (region->first->locals) run_finished(&first, &second, unit);
      else if (region->second) run_slice(&first, &second, unit);
      else if (region->first->interleave) norma_worker_run_interleaved(&first, unit);
      else if (region->first->sink_count) norma_worker_run_reduction(&first, unit);
      else norma_worker_run_elementwise(&first, unit);
    }
    begin = atomic_fetch_add(&region->next, region->grain);
  }
  norma_worker_stop(&first);
  if (region->second) norma_worker_stop(&second);
}

static void run_all(norma_region *region, int threads) {
  if (threads > region->count) threads = (int)region->count;
  ptrdiff_t grain = region->count / (threads * 16);
  region->grain = threads <= 1 ? region->count : grain < 1 ? 1 : grain;
  atomic_store(&region->next, 0);
  if (threads <= 1) run_region(region, 0, 1);
  else norma_team_run(run_region, region, threads);
}

// A program without instructions, which only copies elements.
static int run_copy(const norma_program *p, int threads) {
  const norma_space *s = &p->space;
  const int rank = s->rank;
  if (p->instruction_count || p->sink_count || p->input_count != 1 || p->output_count != 1
      || rank + 2 > NORMA_MAX_DIMENSIONS) {
    return 0;
  }
  const norma_operand *in = p->inputs, *out = p->outputs;
  if (in->local || in->split_count || out->split_count || in->value != out->value
      || in->width != out->width) {
    return 0;
  }
  ptrdiff_t shape[NORMA_MAX_DIMENSIONS], from[NORMA_MAX_DIMENSIONS], to[NORMA_MAX_DIMENSIONS];
  for (int d = 0; d < rank; d++) {
    shape[d] = s->size[d], from[d] = in->outer[d], to[d] = out->outer[d];
  }
  shape[rank] = s->rows, from[rank] = in->row, to[rank] = out->row;
  shape[rank + 1] = s->columns, from[rank + 1] = in->column, to[rank + 1] = out->column;
  norma_copy(
      rank + 2, shape, from, to, 1, in->width, p->input_bases[0], p->output_bases[0], out->streamed,
      threads);
  return 1;
}

int norma_program_run_alone(
    const norma_program *p, char *const *inputs, char *const *outputs) {
  if (!p->alone) return 0;
  _Alignas(64) char scratch[NORMA_SMALL_SCRATCH];
  const void *values[NORMA_SMALL_VALUES], *operands[NORMA_MAX_OPERANDS];
  for (int k = 0; k < p->value_count; k++) {
    values[k] = p->offsets[k] < 0 ? NULL : scratch + p->offsets[k];
  }
  for (int k = 0; k < p->input_count; k++) values[p->inputs[k].value] = inputs[k];
  for (int k = 0; k < p->output_count; k++) values[p->outputs[k].value] = outputs[k];
  const size_t n = (size_t)(p->space.rows * p->space.columns);
  for (int k = 0; k < p->instruction_count; k++) {
    const norma_instruction *step = &p->instructions[k];
    for (int o = 0; o < step->operand_count; o++) operands[o] = values[step->operands[o]];
    step->loop(step->single ? 1 : n, operands, (void *)values[step->result]);
  }
  return 1;
}

void norma_program_run(const norma_program *first, const norma_program *second, int threads) {
  if (!second && run_copy(first, threads)) return;
  norma_region region = {
      .first = first, .second = second, .is_of_rows = !second && norma_is_of_rows(first)};
  region.count = second && !first->locals ? first->kept_count : first->unit_count;
  // Units are then consecutive rows.
  if (region.is_of_rows) region.count = first->kept_count;
  run_all(&region, threads);
  if (second || region.is_of_rows || first->sink_count == 0) return;
  for (ptrdiff_t k = 0; k < first->kept_count; k++) norma_merge_chunks(first, k);
}
