// Distances between all pairs of vectors: blocks of both operands are copied as doubles into the
// order in which a tile in registers reads them, with the components of four rows and of eight
// columns adjacent.
#include "distances.h"

#include "parts.h"
#include "run_type.h"
#include "vectors.h"

#pragma clang fp contract(off)

// Blocks of both operands and their sums, 384 KiB, stay in a second-level cache.
enum { tile_rows = 4, tile_columns = 8, block_rows = 128, block_columns = 128, block_depth = 128 };

int64_t norma_distance_units(const norma_distances *s) {
  return parts(s->rows, block_rows) * parts(s->columns, block_columns);
}

// What a unit operates on, in complete tiles.
typedef struct {
  int64_t rows, columns, depth;
} Block;

static Block largest_block(const norma_distances *s) {
  return (Block){
      parts(smaller(s->rows, block_rows), tile_rows) * tile_rows,
      parts(smaller(s->columns, block_columns), tile_columns) * tile_columns,
      smaller(s->depth, block_depth)};
}

int64_t norma_distance_scratch_bytes(const norma_distances *s) {
  const Block b = largest_block(s);
  const int64_t numbers = b.columns * b.rows + b.columns * b.depth + b.rows * b.depth;
  return parts(numbers * 8, 64) * 64;
}

#define BODY "distances_body.h"
#include "each_level.h"

void norma_run_distances(
    int type, const norma_distances *shape, int kind, const void *a, const void *b, void *result,
    int64_t begin, int64_t end, void *scratch) {
  OF_REAL(OF_LEVEL, distances, type, (shape, kind, a, b, result, begin, end, scratch));
}
