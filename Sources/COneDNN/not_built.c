// Used if the package is built without its oneDNN trait.
#if !defined(NORMA_ONEDNN)

#include <stddef.h>

#include "norma_onednn.h"

int32_t norma_onednn_version(void) { return 0; }

int32_t norma_onednn_sgemm(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
    int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc) {
  (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k;
  (void)a, (void)lda, (void)b, (void)ldb, (void)c, (void)ldc;
  return NORMA_ONEDNN_NOT_BUILT;
}

int32_t norma_onednn_product_create(
    norma_onednn_product **product, norma_onednn_type type, const norma_onednn_matrices *a,
    const norma_onednn_matrices *b, const norma_onednn_matrices *c, bool packs) {
  (void)type, (void)a, (void)b, (void)c, (void)packs;
  *product = NULL;
  return NORMA_ONEDNN_NOT_BUILT;
}

int64_t norma_onednn_product_packed_size(const norma_onednn_product *product) {
  (void)product;
  return 0;
}

int32_t norma_onednn_product_pack(
    const norma_onednn_product *product, const void *b, void *packed) {
  (void)product, (void)b, (void)packed;
  return NORMA_ONEDNN_NOT_BUILT;
}

bool norma_onednn_product_packs_alike(
    const norma_onednn_product *first, const norma_onednn_product *second) {
  (void)first, (void)second;
  return false;
}

int32_t norma_onednn_product_run(
    const norma_onednn_product *product, const void *a, const void *b, void *c) {
  (void)product, (void)a, (void)b, (void)c;
  return NORMA_ONEDNN_NOT_BUILT;
}

const char *norma_onednn_product_implementation(const norma_onednn_product *product) {
  (void)product;
  return "";
}

void norma_onednn_product_free(norma_onednn_product *product) { (void)product; }

int32_t norma_onednn_convolution_create(
    norma_onednn_convolution **convolution, norma_onednn_pass pass, norma_onednn_type type,
    const norma_onednn_matrices *source, const norma_onednn_matrices *weights, bool has_bias,
    const norma_onednn_matrices *destination, const norma_onednn_window *window, bool winograd) {
  (void)pass, (void)type, (void)source, (void)weights, (void)has_bias;
  (void)destination, (void)window, (void)winograd;
  *convolution = NULL;
  return NORMA_ONEDNN_NOT_BUILT;
}

int64_t norma_onednn_convolution_packed_size(const norma_onednn_convolution *convolution) {
  (void)convolution;
  return 0;
}

int32_t norma_onednn_convolution_pack(
    const norma_onednn_convolution *convolution, const void *weights, void *packed) {
  (void)convolution, (void)weights, (void)packed;
  return NORMA_ONEDNN_NOT_BUILT;
}

bool norma_onednn_convolution_packs_alike(
    const norma_onednn_convolution *first, const norma_onednn_convolution *second) {
  (void)first, (void)second;
  return false;
}

int32_t norma_onednn_convolution_run(
    const norma_onednn_convolution *convolution, const void *source, const void *weights,
    const void *packed, const void *bias, const void *destination) {
  (void)convolution, (void)source, (void)weights, (void)packed, (void)bias, (void)destination;
  return NORMA_ONEDNN_NOT_BUILT;
}

const char *norma_onednn_convolution_implementation(
    const norma_onednn_convolution *convolution) {
  (void)convolution;
  return "";
}

void norma_onednn_convolution_free(norma_onednn_convolution *convolution) { (void)convolution; }

#endif
