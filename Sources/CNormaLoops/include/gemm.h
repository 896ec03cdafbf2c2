#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// `c = a b` with `a` of `m` by `k`, `b` of `k` by `n` and `c` of `m` by `n`. Strides are in
/// elements and may have any value, including zero; the columns of `c` are contiguous.
typedef struct {
  int64_t m, n, k;
  int64_t a_row, a_column;
  int64_t b_row, b_column;
  int64_t c_row;
} norma_gemm_shape;

/// The scratch bytes that the floating-point products need for copies of blocks of `a` and `b`.
int64_t norma_gemm_scratch_bytes(const norma_gemm_shape *shape, int64_t element_bytes);

/// Each element is a sum in blocks of 256 terms: within a block from the first term to the last,
/// then block by block, with every product and every sum rounded. So an element has the same bits
/// on every level, and however the rows and columns of a product are divided. `scratch` is aligned
/// to 64 bytes. Integers (NORMA_U8, NORMA_I32 or NORMA_I64) wrap around, and need no scratch.
void norma_gemm(
    int type, const norma_gemm_shape *shape, const void *a, const void *b, void *c,
    void *_Nullable scratch);

/// The most columns of a small product.
enum { NORMA_GEMM_SMALL_COLUMNS = 64 };

/// Each element is a sum of exact products in double from the first term to the last, rounded once:
/// for matrices so small that packing, or calling a library, takes longer.
void norma_gemm_small_f32(
    const norma_gemm_shape *shape, const float *a, const float *b, float *c);

#pragma clang assume_nonnull end
