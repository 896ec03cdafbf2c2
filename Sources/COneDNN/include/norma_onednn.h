// The part of oneDNN that Norma uses, the same for all versions from 2.6 on, without oneDNN's own
// headers. Without the package trait every call reports that it is not built.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The results of calls: 0, oneDNN's own status, or -1 without the package trait. Nothing has been
/// computed unless it is 0.
enum {
  NORMA_ONEDNN_NOT_BUILT = -1,
  NORMA_ONEDNN_SUCCESS = 0,
  NORMA_ONEDNN_OUT_OF_MEMORY = 1,
  NORMA_ONEDNN_INVALID_ARGUMENTS = 2,
  NORMA_ONEDNN_UNIMPLEMENTED = 3,
};

/// The elements of operands and results.
typedef enum {
  NORMA_ONEDNN_F32,
  NORMA_ONEDNN_BF16,
} norma_onednn_type;

/// The version of the loaded library, 20603 for 2.6.3; 0 without the package trait.
int32_t norma_onednn_version(void);

/// `c = op(a) op(b)` for row-major matrices, where `op(a)` is `m` by `k`, `op(b)` is `k` by `n` and
/// `op` transposes if the flag says so. `lda`, `ldb` and `ldc` are the strides of stored rows in
/// elements, at least the length of a stored row.
int32_t norma_onednn_sgemm(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
    int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc);

/// A shape and its strides in elements: batch axes, then rows, then columns. A batch axis of
/// length 1 in an operand is repeated along the result's axis.
enum { NORMA_ONEDNN_MAX_RANK = 6 };
typedef struct {
  int32_t rank;
  int64_t dims[NORMA_ONEDNN_MAX_RANK];
  int64_t strides[NORMA_ONEDNN_MAX_RANK];
} norma_onednn_matrices;

/// The sizes of a convolution along its spatial axes, at most 3. A dilation of 1 is a dense kernel.
enum { NORMA_ONEDNN_MAX_SPACE = 3 };
typedef struct {
  int64_t stride[NORMA_ONEDNN_MAX_SPACE], dilation[NORMA_ONEDNN_MAX_SPACE];
  int64_t before[NORMA_ONEDNN_MAX_SPACE], after[NORMA_ONEDNN_MAX_SPACE];  // padding
} norma_onednn_window;

/// What a convolution computes from two of its operands: the result, or a gradient.
typedef enum {
  NORMA_ONEDNN_FORWARD,
  NORMA_ONEDNN_SOURCE_GRADIENT,
  NORMA_ONEDNN_WEIGHTS_GRADIENT,
} norma_onednn_pass;

/// A compiled convolution. It is immutable, and may run on several threads concurrently.
typedef struct norma_onednn_convolution norma_onednn_convolution;

/// Compiles one pass of a convolution; sums are `float`, and rounded once. Weights are
/// `[outputs, inputs, kernel...]`, or `[groups, outputs, inputs, kernel...]` per group; oneDNN
/// converts them to an order of its own when it runs. The other operands are read and written with
/// the given strides.
///
/// With `winograd`, a forward pass runs by Winograd's algorithm F(2x2, 3x3) if oneDNN has it for
/// these sizes. Numbers that are not finite may then spread to neighbours.
int32_t norma_onednn_convolution_create(
    norma_onednn_convolution *_Nullable *_Nonnull convolution, norma_onednn_pass pass,
    norma_onednn_type type, const norma_onednn_matrices *source,
    const norma_onednn_matrices *weights, bool has_bias,
    const norma_onednn_matrices *destination, const norma_onednn_window *window, bool winograd);

/// The bytes of the weights in oneDNN's order; 0 if it reads them directly.
int64_t norma_onednn_convolution_packed_size(const norma_onednn_convolution *convolution);

/// Writes the weights in oneDNN's order, for any number of runs with the same values.
int32_t norma_onednn_convolution_pack(
    const norma_onednn_convolution *convolution, const void *weights, void *packed);

/// Whether both convolutions read weights in the same order of oneDNN's.
bool norma_onednn_convolution_packs_alike(
    const norma_onednn_convolution *first, const norma_onednn_convolution *second);

/// Reads two operands and the bias, if there is one, and writes the third. `packed` has the weights
/// in oneDNN's order; without it they are converted first.
int32_t norma_onednn_convolution_run(
    const norma_onednn_convolution *convolution, const void *source, const void *weights,
    const void *_Nullable packed, const void *_Nullable bias, const void *destination);

/// oneDNN's name for the loops it chose.
const char *norma_onednn_convolution_implementation(
    const norma_onednn_convolution *convolution);

void norma_onednn_convolution_free(norma_onednn_convolution *_Nullable convolution);

/// A compiled product of batches of matrices. It is immutable, and may run on several threads
/// concurrently.
typedef struct norma_onednn_product norma_onednn_product;

/// Compiles `c = a b`, all of one type; sums are `float`. Takes 0.05 to 6 milliseconds. With
/// `packs`, `b` is packed before it is read.
int32_t norma_onednn_product_create(
    norma_onednn_product *_Nullable *_Nonnull product, norma_onednn_type type,
    const norma_onednn_matrices *a, const norma_onednn_matrices *b,
    const norma_onednn_matrices *c, bool packs);

/// The bytes of `b` in oneDNN's order; 0 if it is read as it is given.
int64_t norma_onednn_product_packed_size(const norma_onednn_product *product);

/// Writes `b` in oneDNN's order, for any number of runs with the same values.
int32_t norma_onednn_product_pack(
    const norma_onednn_product *product, const void *b, void *packed);

/// Whether both products read packed matrices in the same order.
bool norma_onednn_product_packs_alike(
    const norma_onednn_product *first, const norma_onednn_product *second);

/// `b` is packed if the product packs.
int32_t norma_onednn_product_run(
    const norma_onednn_product *product, const void *a, const void *b, void *c);

/// oneDNN's name for the loops it chose: `brgemm:avx512_core`, `gemm:jit`, `ref:any`.
const char *norma_onednn_product_implementation(const norma_onednn_product *product);

void norma_onednn_product_free(norma_onednn_product *_Nullable product);

#pragma clang assume_nonnull end
