#if defined(NORMA_ONEDNN)

#include "norma_onednn.h"
#include "state.h"

int32_t norma_onednn_version(void) {
  const dnnl_version_t *version = dnnl_version();
  return version->major * 10000 + version->minor * 100 + version->patch;
}

int32_t norma_onednn_sgemm(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
    int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc) {
  return dnnl_sgemm(
      transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
}

// MARK: Products of batches

enum { slot_a, slot_b, slot_c, slot_count };

// `reorder` packs `slots[slot_b]`; NULL if it is read as it is given.
struct norma_onednn_product {
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  Descriptor slots[slot_count];
  dnnl_primitive_t reorder;
};

/// The workspace is the caller's: a primitive with its own could not run on two threads.
static dnnl_status_t describe(
    norma_onednn_product *product, dnnl_engine_t engine, Descriptor b) {
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
  if (status) return status;
  status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (!status) {
    status = matmul_describe(
        &product->description, engine, product->slots[slot_a], b, product->slots[slot_c],
        attributes);
  }
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

/// The order in which `b` is read.
static ConstDescriptor order_of_b(const norma_onednn_product *product) {
  return dnnl_primitive_desc_query_md(product->description, dnnl_query_weights_md, 0);
}

static dnnl_status_t prepare_packing(norma_onednn_product *product, dnnl_engine_t engine) {
  ConstDescriptor order = order_of_b(product);
  if (dnnl_memory_desc_equal(order, product->slots[slot_b])) return dnnl_success;
  dnnl_primitive_desc_t description = NULL;
  dnnl_status_t status = dnnl_reorder_primitive_desc_create(
      &description, product->slots[slot_b], engine, order, engine, NULL);
  if (status) return status;
  status = dnnl_primitive_create(&product->reorder, description);
  dnnl_primitive_desc_destroy(description);
  return status;
}

int32_t norma_onednn_product_create(
    norma_onednn_product **result, norma_onednn_type type, const norma_onednn_matrices *a,
    const norma_onednn_matrices *b, const norma_onednn_matrices *c, bool packs) {
  *result = NULL;
  dnnl_engine_t engine = norma_engine();
  if (!engine) return dnnl_runtime_error;
  norma_onednn_product *product = calloc(1, sizeof *product);
  if (!product) return dnnl_out_of_memory;
  const norma_onednn_matrices *operands[slot_count] = {a, b, c};
  dnnl_status_t status = dnnl_success;
  for (int slot = 0; slot < slot_count && !status; slot++) {
    const norma_onednn_matrices *operand = operands[slot];
    status = descriptor_create(
        &product->slots[slot], operand->rank, operand->dims, operand->strides,
        data_type(type));
  }
  Descriptor any = NULL;
  if (!status && packs) {
    status = descriptor_create_any(&any, b->rank, b->dims, data_type(type));
  }
  if (!status) status = describe(product, engine, packs ? any : product->slots[slot_b]);
  descriptor_free(any);
  if (!status) status = dnnl_primitive_create(&product->primitive, product->description);
  if (!status && packs) status = prepare_packing(product, engine);
  if (status) {
    norma_onednn_product_free(product);
    return status;
  }
  *result = product;
  return dnnl_success;
}

int64_t norma_onednn_product_packed_size(const norma_onednn_product *product) {
  return product->reorder ? (int64_t)dnnl_memory_desc_get_size(order_of_b(product)) : 0;
}

int32_t norma_onednn_product_pack(
    const norma_onednn_product *product, const void *b, void *packed) {
  ThreadState *state = norma_thread_state();
  dnnl_engine_t engine = norma_engine();
  if (!state) return dnnl_out_of_memory;
  dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, NULL}, {DNNL_ARG_TO, NULL}};
  dnnl_status_t status = dnnl_memory_create(
      &arguments[0].memory, product->slots[slot_b], engine, (void *)b);
  if (status) return status;
  status = dnnl_memory_create(&arguments[1].memory, order_of_b(product), engine, packed);
  if (!status) {
    status = dnnl_primitive_execute(product->reorder, state->stream, 2, arguments);
    if (!status) status = dnnl_stream_wait(state->stream);
    dnnl_memory_destroy(arguments[1].memory);
  }
  dnnl_memory_destroy(arguments[0].memory);
  return status;
}

bool norma_onednn_product_packs_alike(
    const norma_onednn_product *first, const norma_onednn_product *second) {
  return first->reorder && second->reorder
      && dnnl_memory_desc_equal(order_of_b(first), order_of_b(second));
}

int32_t norma_onednn_product_run(
    const norma_onednn_product *product, const void *a, const void *b, void *c) {
  ThreadState *state = norma_thread_state();
  dnnl_engine_t engine = norma_engine();
  if (!state) return dnnl_out_of_memory;
  ConstDescriptor scratch =
      dnnl_primitive_desc_query_md(product->description, dnnl_query_scratchpad_md, 0);
  size_t bytes = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
  void *workspace = bytes ? norma_workspace(state, bytes) : NULL;
  if (bytes && !workspace) return dnnl_out_of_memory;

  ConstDescriptor descriptors[] = {
      product->slots[slot_a], order_of_b(product), product->slots[slot_c], scratch};
  void *pointers[] = {(void *)a, (void *)b, c, workspace};
  dnnl_exec_arg_t arguments[] = {
      {DNNL_ARG_SRC, NULL},
      {DNNL_ARG_WEIGHTS, NULL},
      {DNNL_ARG_DST, NULL},
      {DNNL_ARG_SCRATCHPAD, NULL},
  };
  int wanted = bytes ? 4 : 3, made = 0;
  dnnl_status_t status = dnnl_success;
  while (made < wanted && !status) {
    status = dnnl_memory_create(
        &arguments[made].memory, descriptors[made], engine, pointers[made]);
    if (!status) made++;
  }
  if (!status) status = dnnl_primitive_execute(product->primitive, state->stream, made, arguments);
  if (!status) status = dnnl_stream_wait(state->stream);
  for (int i = 0; i < made; i++) dnnl_memory_destroy(arguments[i].memory);
  return status;
}

const char *norma_onednn_product_implementation(const norma_onednn_product *product) {
  const char *name = "";
  dnnl_primitive_desc_query(product->description, dnnl_query_impl_info_str, 0, &name);
  return name;
}

void norma_onednn_product_free(norma_onednn_product *product) {
  if (!product) return;
  for (int slot = 0; slot < slot_count; slot++) descriptor_free(product->slots[slot]);
  if (product->reorder) dnnl_primitive_destroy(product->reorder);
  if (product->primitive) dnnl_primitive_destroy(product->primitive);
  if (product->description) dnnl_primitive_desc_destroy(product->description);
  free(product);
}

#endif
