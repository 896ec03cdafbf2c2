#if defined(NORMA_ONEDNN)

#include "convolution.h"

#include <string.h>

dnnl_status_t norma_reorder_create(
    dnnl_primitive_t *result, ConstDescriptor from, ConstDescriptor to, const Request *r) {
  dnnl_primitive_desc_t description = NULL;
  dnnl_status_t status = dnnl_reorder_primitive_desc_create(
      &description, from, r->engine, to, r->engine, r->attributes);
  if (status) return status;
  status = dnnl_primitive_create(result, description);
  dnnl_primitive_desc_destroy(description);
  return status;
}

#if DNNL_VERSION_MAJOR >= 3

static dnnl_status_t describe_forward(
    dnnl_primitive_desc_t *result, const Request *r, dnnl_prop_kind_t kind) {
  return dnnl_convolution_forward_primitive_desc_create(
      result, r->engine, kind, dnnl_convolution_direct, r->source, r->weights, r->bias,
      r->destination, r->window->stride, r->dilation, r->window->before, r->window->after,
      r->attributes);
}

static dnnl_status_t describe_source_gradient(
    dnnl_primitive_desc_t *result, const Request *r, dnnl_primitive_desc_t hint) {
  return dnnl_convolution_backward_data_primitive_desc_create(
      result, r->engine, dnnl_convolution_direct, r->source, r->weights, r->destination,
      r->window->stride, r->dilation, r->window->before, r->window->after, hint, r->attributes);
}

static dnnl_status_t describe_weights_gradient(
    dnnl_primitive_desc_t *result, const Request *r, dnnl_primitive_desc_t hint) {
  return dnnl_convolution_backward_weights_primitive_desc_create(
      result, r->engine, dnnl_convolution_direct, r->source, r->weights_gradient, NULL,
      r->destination,
      r->window->stride, r->dilation, r->window->before, r->window->after, hint, r->attributes);
}

// 3.0 has it no more for the processors of 2.6.
dnnl_status_t norma_describe_winograd(norma_onednn_convolution *c, const Request *r) {
  (void)c, (void)r;
  return dnnl_unimplemented;
}

#else

static int begins(const_dnnl_primitive_desc_t description, const char *start) {
  const char *name = "";
  dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
  return strncmp(name, start, strlen(start)) == 0;
}

static int is_batched_product(const_dnnl_primitive_desc_t description) {
  return begins(description, "brgconv:avx512_core");
}

static int is_direct(const_dnnl_primitive_desc_t description) {
  return begins(description, "jit:avx512_core");
}

// The number of inputs of each output.
static int64_t channels(const Request *r) {
  return r->weights->dims[r->weights->ndims == r->source->ndims ? 1 : 2];
}

static dnnl_status_t describe_forward(
    dnnl_primitive_desc_t *result, const Request *r, dnnl_prop_kind_t kind) {
  dnnl_convolution_desc_t operation;
  dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
      &operation, kind, dnnl_convolution_direct, r->source, r->weights, r->bias, r->destination,
      r->window->stride, r->dilation, r->window->before, r->window->after);
  if (status) return status;
  dnnl_primitive_desc_iterator_t loops;
  status = dnnl_primitive_desc_iterator_create(&loops, &operation, r->attributes, r->engine, NULL);
  if (status) return status;
  *result = dnnl_primitive_desc_iterator_fetch(loops);
  // 2.6 proposes batched products first. With few channels of several images its direct loops are
  // faster: 1.2 instead of 1.9 ms for 16 channels of 128 images of 28 by 28, measured in a training
  // step, and 0.43 instead of 0.84 for 1 channel of 32 images of 56 by 56. They divide a single
  // image badly: 1.05 instead of 0.70 ms for 3 channels of 224 by 224.
  if (*result && r->source->data_type == dnnl_f32 && is_batched_product(*result)
      && channels(r) <= 16 && r->source->dims[0] > 1) {
    while (!dnnl_primitive_desc_iterator_next(loops)) {
      dnnl_primitive_desc_t next = dnnl_primitive_desc_iterator_fetch(loops);
      if (next && is_direct(next)) {
        dnnl_primitive_desc_destroy(*result);
        *result = next;
        break;
      }
      if (next) dnnl_primitive_desc_destroy(next);
    }
  }
  dnnl_primitive_desc_iterator_destroy(loops);
  return *result ? dnnl_success : dnnl_out_of_memory;
}

static dnnl_status_t describe_source_gradient(
    dnnl_primitive_desc_t *result, const Request *r, dnnl_primitive_desc_t hint) {
  dnnl_convolution_desc_t operation;
  dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
      &operation, dnnl_convolution_direct, r->source, r->weights, r->destination,
      r->window->stride, r->dilation, r->window->before, r->window->after);
  if (status) return status;
  return dnnl_primitive_desc_create(result, &operation, r->attributes, r->engine, hint);
}

static dnnl_status_t describe_weights_gradient(
    dnnl_primitive_desc_t *result, const Request *r, dnnl_primitive_desc_t hint) {
  dnnl_convolution_desc_t operation;
  dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
      &operation, dnnl_convolution_direct, r->source, r->weights_gradient, NULL, r->destination,
      r->window->stride, r->dilation, r->window->before, r->window->after);
  if (status) return status;
  return dnnl_primitive_desc_create(result, &operation, r->attributes, r->engine, hint);
}

// Winograd's algorithm F(2x2, 3x3). It needs as many rows of padding before an image as after it:
// for the first or last rows of one, it computes a row more, which is not read.
dnnl_status_t norma_describe_winograd(norma_onednn_convolution *c, const Request *r) {
  Descriptor given = c->slots[slot_destination];
  if (r->source->data_type != dnnl_f32 || r->source->ndims != 4) return dnnl_unimplemented;
  const int64_t before = r->window->before[0], after = r->window->after[0];
  const int64_t rows = before > after ? before : after;
  dnnl_dims_t dims, padding = {rows, r->window->before[1]};
  dnnl_dims_t padding_after = {rows, r->window->after[1]}, first = {0};
  memcpy(dims, given->dims, sizeof dims);
  dims[2] += 2 * rows - before - after;
  first[2] = rows - before;
  Descriptor source = NULL, destination = NULL;
  dnnl_status_t status = descriptor_create_any(&source, 4, r->source->dims, dnnl_f32);
  if (!status) status = descriptor_create_any(&destination, 4, dims, dnnl_f32);
  dnnl_convolution_desc_t operation;
  if (!status) {
    status = dnnl_dilated_convolution_forward_desc_init(
        &operation, dnnl_forward_inference, dnnl_convolution_winograd, source, r->weights, r->bias,
        destination, r->window->stride, r->dilation, padding, padding_after);
  }
  descriptor_free(source);
  descriptor_free(destination);
  if (!status) {
    status = dnnl_primitive_desc_create(
        &c->description, &operation, r->attributes, r->engine, NULL);
  }
  // F(4x4, 3x3) makes larger errors than the definition.
  if (!status && !begins(c->description, "jit_fp32_wino_2x3")) status = dnnl_unimplemented;
  if (!status) {
    c->wanted = malloc(sizeof *c->wanted);
    if (!c->wanted) status = dnnl_out_of_memory;
  }
  if (!status) {
    status = dnnl_memory_desc_init_submemory(
        c->wanted, used_layout(c->description, DNNL_ARG_DST), given->dims, first);
  }
  if (!status) {
    status = norma_reorder_create(
        &c->reorder_source, r->source, used_layout(c->description, DNNL_ARG_SRC), r);
  }
  if (!status) status = norma_reorder_create(&c->reorder_destination, c->wanted, given, r);
  return status;
}

#endif

dnnl_status_t norma_describe(
    dnnl_primitive_desc_t *result, norma_onednn_pass pass, const Request *request) {
  if (pass == NORMA_ONEDNN_FORWARD) {
    return describe_forward(result, request, dnnl_forward_training);
  }
  // Gradients require the descriptor of the corresponding forward pass.
  dnnl_primitive_desc_t hint = NULL;
  dnnl_status_t status = describe_forward(&hint, request, dnnl_forward_training);
  if (status) return status;
  status = pass == NORMA_ONEDNN_SOURCE_GRADIENT
      ? describe_source_gradient(result, request, hint)
      : describe_weights_gradient(result, request, hint);
  dnnl_primitive_desc_destroy(hint);
  return status;
}

#endif
