// The plain matrix product: blocks that fit the caches are copied into the order in which a tile in
// registers reads them. Multiplications and additions are not fused, because the baseline has no
// fused instruction and all levels give the same bits; processors with separate adders lose
// nothing.
#include "gemm.h"

#include "levels.h"
#include "parts.h"

#pragma clang fp contract(off)

#define UNROLL _Pragma("clang loop unroll(full)")

enum { block_depth = 256, block_rows = 96, largest_tile_rows = 12, largest_tile_bytes = 128 };


/// A block of `b` should stay in a second-level cache.
static int64_t columns_of_block(int64_t element_bytes) { return 2048 / element_bytes; }

/// A multiple of 16 elements, so that the next buffer is aligned.
static int64_t packed_rows_length(const norma_gemm_shape *s) {
  int64_t rows = smaller(s->m, block_rows) + largest_tile_rows;
  return (rows * smaller(s->k, block_depth) + 15) & ~(int64_t)15;
}

int64_t norma_gemm_scratch_bytes(const norma_gemm_shape *s, int64_t element_bytes) {
  int64_t columns =
      smaller(s->n, columns_of_block(element_bytes)) + largest_tile_bytes / element_bytes;
  int64_t length = packed_rows_length(s) + columns * smaller(s->k, block_depth);
  return (length * element_bytes + 63) & ~(int64_t)63;
}

#define T float
#define NAME(x) x##_f32_baseline
#define VECTOR_BYTES 16
#define ROWS 4
#include "gemm_body.h"

#define T double
#define NAME(x) x##_f64_baseline
#define VECTOR_BYTES 16
#define ROWS 4
#include "gemm_body.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)

#define T float
#define NAME(x) x##_f32_v3
#define VECTOR_BYTES 32
#define ROWS 6
#include "gemm_body.h"

#define T double
#define NAME(x) x##_f64_v3
#define VECTOR_BYTES 32
#define ROWS 6
#include "gemm_body.h"

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)

#define T float
#define NAME(x) x##_f32_v4
#define VECTOR_BYTES 64
#define ROWS 12
#include "gemm_body.h"

#define T double
#define NAME(x) x##_f64_v4
#define VECTOR_BYTES 64
#define ROWS 12
#include "gemm_body.h"

#pragma clang attribute pop

#define LEVELS(name) {name##_baseline, name##_v3, name##_v4}
#else
#define LEVELS(name) {name##_baseline, name##_baseline, name##_baseline}
#endif

void norma_gemm_f32(
    const norma_gemm_shape *shape, const float *a, const float *b, float *c, void *scratch) {
  static void (*const levels[])(
      const norma_gemm_shape *, const float *, const float *, float *, void *) = LEVELS(gemm_f32);
  levels[norma_loops_level()](shape, a, b, c, scratch);
}

void norma_gemm_f64(
    const norma_gemm_shape *shape, const double *a, const double *b, double *c, void *scratch) {
  static void (*const levels[])(
      const norma_gemm_shape *, const double *, const double *, double *, void *) =
      LEVELS(gemm_f64);
  levels[norma_loops_level()](shape, a, b, c, scratch);
}
