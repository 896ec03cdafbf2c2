#pragma once
#include "program.h"

// The state of a thread while it runs tiles.
typedef struct {
  const norma_program *program;
  char *scratch;
  const void *values[NORMA_MAX_VALUES];
  const char *bases[NORMA_MAX_VALUES];    // inputs at the current outer index
  char *output_bases[NORMA_MAX_VALUES];
  ptrdiff_t outer, row;                   // the current outer index (-1 at first) and row
  int moved;                              // single instructions have to run again
  const void *locals[2 * NORMA_MAX_SINKS];  // results of the program before
  // The address of the elements in an input's scratch block, which is reused if tiles repeat them.
  const char *copied[NORMA_MAX_VALUES];
  ptrdiff_t copied_rows[NORMA_MAX_VALUES], copied_columns[NORMA_MAX_VALUES];
  _Alignas(64) char room[NORMA_SMALL_SCRATCH];  // for small programs
} norma_worker;

void norma_worker_start(norma_worker *worker, const norma_program *program);
void norma_worker_stop(norma_worker *worker);

// Goes to an outer index: kept dimensions, then reduced ones.
void norma_worker_move(norma_worker *worker, ptrdiff_t outer);

// Loads a tile at the current outer index, runs the instructions and stores the outputs.
void norma_worker_run_tile(
    norma_worker *worker, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column, ptrdiff_t columns);

// Tile number `tile` of an elementwise program: outer index, row tile, column tile.
void norma_worker_run_elementwise(norma_worker *worker, ptrdiff_t tile);

// One chunk of tiles of one output, or of one strip of columns.
void norma_worker_run_reduction(norma_worker *worker, ptrdiff_t unit);

// All chunks of adjacent outputs, row by row: if the rows of an output are separated in memory by
// those of its neighbours, this is the memory order.
void norma_worker_run_interleaved(norma_worker *worker, ptrdiff_t unit);

// Whether a program is a single reduction of elements in memory in one chunk, along rows or down
// columns; and that reduction for the kept indices `begin ..< end`, each in a quarter of the time
// that it takes by tiles.
int norma_is_of_rows(const norma_program *program);
void norma_reduce_rows(const norma_program *program, ptrdiff_t begin, ptrdiff_t end);

// Merges the chunks of the outputs of one kept index in order.
void norma_merge_chunks(const norma_program *program, ptrdiff_t kept);

// A copy that bypasses the caches: a store to memory that is not in cache reads it first, which is
// a third of the traffic of a pass that reads one tensor and writes another.
void norma_stream_copy(void *target, const void *source, size_t bytes);
