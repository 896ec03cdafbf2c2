#pragma once
#include "loops.h"

// Runs a program over a space, tile by tile. A tile is a box of at most NORMA_BLOCK values that
// stays in the first-level cache while all instructions run over it. Swift lays everything out;
// nothing is decided here.

// Memory cannot hold more than NORMA_MAX_DIMENSIONS dimensions of at least two elements.
enum {
  NORMA_BLOCK = 1792,
  NORMA_MAX_DIMENSIONS = 48,
  NORMA_MAX_SPLITS = 4,
  NORMA_MAX_SINKS = 4,
  NORMA_MAX_OPERANDS = 7,
  NORMA_MAX_VALUES = 640,
  // The capacity for programs that run alone, in bytes and values.
  NORMA_SMALL_SCRATCH = 16384,
  NORMA_SMALL_VALUES = 64
};

// Outer dimensions (kept ones first, then reduced ones), then rows of columns. Tiles divide rows
// and columns; they never cross an outer index.
typedef struct {
  int rank;        // outer dimensions
  int kept_rank;   // how many of them reductions keep; all if there are none
  ptrdiff_t size[NORMA_MAX_DIMENSIONS];
  ptrdiff_t rows, columns, tile_rows, tile_columns;
} norma_space;

// A tensor in memory; strides in bytes. The fields that every tile reads come first and fit a cache
// line.
typedef struct {
  ptrdiff_t row, column;
  int width;    // bytes of an element
  int value;    // the value it defines or stores
  int single;   // input: one element for the whole tile
  int pitched;  // input: read only by reductions, which accept strided rows
  int by_row;   // input: read directly by instructions that run row by row
  int local;    // input: 1 + index of a result in thread scratch; 0: in memory
  int streamed; // output: bypasses the caches, which are too small for it
  int direct;   // output: written by the last instruction; otherwise copied
  // If the columns are several dimensions of this operand: their sizes and strides, the fastest
  // first. 0 if one stride suffices.
  int split_count;
  ptrdiff_t split_size[NORMA_MAX_SPLITS], split_stride[NORMA_MAX_SPLITS];
  ptrdiff_t outer[NORMA_MAX_DIMENSIONS];
} norma_operand;

typedef struct {
  norma_loop loop;
  int operands[NORMA_MAX_OPERANDS], operand_count;
  int result;
  int single;  // one value, the same for all tiles of an outer index and row
  // Row by row: some operand is a single number per row, or a repeated row. The stride between rows
  // in bytes.
  int by_row;
  norma_rows_loop rows_loop;  // NULL: `loop` runs for each row
  ptrdiff_t pitches[NORMA_MAX_OPERANDS], result_pitch;
} norma_instruction;

enum norma_reduction_kind {
  NORMA_SUM,
  NORMA_MOMENTS,
  NORMA_REDUCE_MINIMUM,
  NORMA_REDUCE_MAXIMUM,
  NORMA_CENTERED_SUM,  // sums of (value - center) * companion
  NORMA_PRODUCT,
  NORMA_WEIGHTED_MOMENTS  // with the companion as weights, in double
};

// Results are indexed by unit output: kept index, then column (when columns are kept).
typedef struct {
  int kind;
  int value;
  int companion, center;  // NORMA_CENTERED_SUM: of the same type, and double; or weights
  int type;
  const norma_reductions *loops;
  // Sums and products in double or int64_t, weighted means, or extremes in the block type.
  char *result;
  double *m2;      // for both kinds of moments
  double *lost;    // NORMA_MOMENTS of double: rounding errors of the sums; or sums of weights
  char *partial;   // like result, one per chunk; NULL when there is one chunk
  double *partial_m2, *partial_lost;
  // Results that stay in the thread's scratch memory: their offsets in bytes.
  ptrdiff_t local, local_m2, local_lost;
} norma_sink;

typedef struct {
  norma_space space;
  int input_count, output_count, instruction_count, sink_count, value_count;
  const norma_operand *inputs, *outputs;
  char *const *input_bases, *const *output_bases;  // addresses of their first elements
  const norma_instruction *instructions;
  const norma_sink *sinks;
  // The offsets of values in a thread's scratch memory; -1 for an input or output.
  const ptrdiff_t *offsets;
  size_t scratch;        // bytes
  uint32_t prefetched;   // which of the first 32 inputs are prefetched, as bits
  int singles_by_row;    // some single operand changes from row to row
  int alone;             // one tile, with all operands read and written directly
  int locals;            // results stay in scratch, for the program that finishes them
  int columns_kept;      // reductions keep the columns: one result per column
  ptrdiff_t chunk;       // reductions: tiles that are merged in sequence before chunks are merged
  ptrdiff_t interleave;  // outputs that are reduced together; 0: one after the other
  // Filled by norma_program_measure:
  ptrdiff_t unit_count;        // independent pieces of work
  ptrdiff_t chunk_count;       // per output
  ptrdiff_t row_tiles, column_tiles;
  ptrdiff_t kept_count, inner_count;  // outer indices: kept ones, and reduced ones for each
  ptrdiff_t tiles_per_output;  // in sequence, for one output or one strip of outputs
} norma_program;

// Fills the counts from the other fields.
void norma_program_measure(norma_program *program);

// Runs all units on at most `threads` threads. The result does not depend on their number.
//
// `second` is NULL, or the program that needs the reductions of `first`, and runs while they are in
// cache. If `first` has `locals`, it processes every strip of results, which are not written to
// memory; both have the same kept dimensions, columns and strips. Otherwise its tiles run after the
// reductions with the same kept index; both have the same kept dimensions outermost, and `first`
// reduces all the rest.
void norma_program_run(
    const norma_program *first, const norma_program *second, int threads);

// Runs a program that is `alone` on this memory; 0 for others. Small tensors take longer to be
// divided than to be computed.
int norma_program_run_alone(
    const norma_program *program, char *const *inputs, char *const *outputs);
