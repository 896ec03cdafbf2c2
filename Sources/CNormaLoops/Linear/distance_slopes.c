// Gradients of distances: that of each vector is the sum over all others of a weight times the
// difference, or times its sign. Vectors hold adjacent components, and four rows share the loads of
// the other operand.
#include "distances.h"
#include "parts.h"
#include "run_type.h"
#include "vectors.h"

#pragma clang fp contract(off)

// Blocks of both operands and of sums, 256 KiB, stay in a second-level cache.
enum { slope_rows = 4, slope_lanes = 8, rows_block = 64, others_block = 128, depth_block = 128 };

int64_t norma_distance_slope_units(const norma_distances *s) {
  return parts(s->rows, rows_block) * parts(s->depth, depth_block);
}

// What a unit operates on, in complete tiles.
typedef struct {
  int64_t rows, others, depth;
} Block;

static Block largest_block(const norma_distances *s) {
  return (Block){
      parts(smaller(s->rows, rows_block), slope_rows) * slope_rows,
      smaller(s->columns, others_block),
      parts(smaller(s->depth, depth_block), slope_lanes) * slope_lanes};
}

int64_t norma_distance_slope_scratch_bytes(const norma_distances *s) {
  const Block b = largest_block(s);
  const int64_t vectors = 2 * b.rows + b.others;
  return parts((vectors * b.depth + slope_rows * b.others) * 8, 64) * 64;
}

#define BODY "distance_slopes_body.h"
#include "each_level.h"

void norma_run_distance_slopes(
    int type, const norma_distances *shape, int kind, const void *a, const void *b,
    const double *weights, int64_t weights_row, int64_t weights_column, void *result,
    int64_t begin, int64_t end, void *scratch) {
  OF_REAL(
      OF_LEVEL, slopes, type,
      (shape, kind, a, b, weights, weights_row, weights_column, result, begin, end, scratch));
}
