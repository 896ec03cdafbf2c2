// The changes of 3.0: memory descriptors became opaque handles, and operations no longer have
// descriptors of their own. `Descriptor` and `ConstDescriptor` work for both.
#pragma once

#if !__has_include(<oneapi/dnnl/dnnl.h>)
#error "no oneDNN headers: apt-get install libdnnl-dev, brew install onednn, or traits: []"
#endif

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>

#include "norma_onednn.h"

static inline dnnl_data_type_t data_type(norma_onednn_type type) {
  return type == NORMA_ONEDNN_BF16 ? dnnl_bf16 : dnnl_f32;
}

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t Descriptor;
typedef const_dnnl_memory_desc_t ConstDescriptor;

static inline dnnl_status_t descriptor_create(
    Descriptor *descriptor, int rank, const int64_t *dims, const int64_t *strides,
    dnnl_data_type_t type) {
  return dnnl_memory_desc_create_with_strides(descriptor, rank, dims, type, strides);
}

static inline dnnl_status_t descriptor_create_any(
    Descriptor *descriptor, int rank, const int64_t *dims, dnnl_data_type_t type) {
  return dnnl_memory_desc_create_with_tag(descriptor, rank, dims, type, dnnl_format_tag_any);
}

static inline void descriptor_free(Descriptor descriptor) {
  if (descriptor) dnnl_memory_desc_destroy(descriptor);
}

static inline dnnl_status_t matmul_describe(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, ConstDescriptor a, ConstDescriptor b,
    ConstDescriptor c, const_dnnl_primitive_attr_t attributes) {
  return dnnl_matmul_primitive_desc_create(result, engine, a, b, NULL, c, attributes);
}

#else

typedef dnnl_memory_desc_t *Descriptor;
typedef const dnnl_memory_desc_t *ConstDescriptor;

static inline dnnl_status_t descriptor_create(
    Descriptor *descriptor, int rank, const int64_t *dims, const int64_t *strides,
    dnnl_data_type_t type) {
  *descriptor = malloc(sizeof **descriptor);
  if (!*descriptor) return dnnl_out_of_memory;
  return dnnl_memory_desc_init_by_strides(*descriptor, rank, dims, type, strides);
}

static inline dnnl_status_t descriptor_create_any(
    Descriptor *descriptor, int rank, const int64_t *dims, dnnl_data_type_t type) {
  *descriptor = malloc(sizeof **descriptor);
  if (!*descriptor) return dnnl_out_of_memory;
  return dnnl_memory_desc_init_by_tag(*descriptor, rank, dims, type, dnnl_format_tag_any);
}

static inline void descriptor_free(Descriptor descriptor) { free(descriptor); }

static inline dnnl_status_t matmul_describe(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, ConstDescriptor a, ConstDescriptor b,
    ConstDescriptor c, const_dnnl_primitive_attr_t attributes) {
  dnnl_matmul_desc_t operation;
  dnnl_status_t status = dnnl_matmul_desc_init(&operation, a, b, NULL, c);
  if (status) return status;
  return dnnl_primitive_desc_create(result, &operation, attributes, engine, NULL);
}

#endif
