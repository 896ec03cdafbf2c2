// The plain matrix product: blocks that fit the caches are copied into the order in which a tile in
// registers reads them. Multiplications and additions are not fused, because the baseline has no
// fused instruction and all levels give the same bits; processors with separate adders lose
// nothing.
#include "gemm.h"

#include "parts.h"
#include "run_type.h"

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

#define TYPED_BODY "gemm_body.h"
#define BODY "each_real.h"
#include "each_level.h"

// Row by row: each row of the result accumulates rows of `b`.
#define INTEGERS(name, T)                                                                          \
  static void name##_row(const norma_gemm_shape *s, const T *a, const T *b, T *c) {                \
    for (int64_t j = 0; j < s->n; j++) c[j] = 0;                                                   \
    for (int64_t p = 0; p < s->k; p++, a += s->a_column, b += s->b_row) {                          \
      T factor = *a;                                                                               \
      int64_t step = s->b_column;                                                                  \
      if (step == 1) {                                                                             \
        for (int64_t j = 0; j < s->n; j++) c[j] = (T)(c[j] + factor * b[j]);                       \
      } else {                                                                                     \
        for (int64_t j = 0; j < s->n; j++) c[j] = (T)(c[j] + factor * b[j * step]);                \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  static void name(const norma_gemm_shape *s, const T *a, const T *b, T *c) {                      \
    for (int64_t i = 0; i < s->m; i++) name##_row(s, a + i * s->a_row, b, c + i * s->c_row);       \
  }
INTEGERS(gemm_u8, uint8_t)
INTEGERS(gemm_i32, uint32_t)
INTEGERS(gemm_i64, uint64_t)

void norma_gemm(
    int type, const norma_gemm_shape *shape, const void *a, const void *b, void *c,
    void *scratch) {
  if (type <= NORMA_F64) OF_REAL(OF_LEVEL, gemm, type, (shape, a, b, c, scratch));
  else OF_INTEGER(ALL_LEVELS, gemm, type, (shape, a, b, c));
}
