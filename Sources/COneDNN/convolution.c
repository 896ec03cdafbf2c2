#if defined(NORMA_ONEDNN)

#include <string.h>

#include "norma_onednn.h"
#include "state.h"

enum { slot_source, slot_weights, slot_bias, slot_destination, slot_count };

// The weights are read or written in `slots[slot_weights]`, and used in an order that oneDNN
// chooses; `reorder` converts between the two, before or after the pass.
struct norma_onednn_convolution {
  norma_onednn_pass pass;
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  Descriptor slots[slot_count];
  dnnl_primitive_t reorder;
};

typedef struct {
  Descriptor source, weights, bias, destination;
  // Sums over all images, in float, converted and rounded to the result's type and order.
  Descriptor weights_gradient;
  int64_t dilation[NORMA_ONEDNN_MAX_SPACE];
  const norma_onednn_window *window;
  dnnl_primitive_attr_t attributes;
  dnnl_engine_t engine;
} Request;

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

#endif

static ConstDescriptor used_layout(dnnl_primitive_desc_t description, int argument) {
  return dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, argument);
}

static dnnl_status_t describe(
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

static int weights_argument(const norma_onednn_convolution *c) {
  return c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
}

// Prepares the conversion of the weights to oneDNN's order, or back from it.
static dnnl_status_t prepare_reorder(norma_onednn_convolution *c, const Request *request) {
  ConstDescriptor used = used_layout(c->description, weights_argument(c));
  Descriptor given = c->slots[slot_weights];
  if (dnnl_memory_desc_equal(used, given)) return dnnl_success;
  const int back = c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT;
  dnnl_primitive_desc_t description = NULL;
  dnnl_status_t status = dnnl_reorder_primitive_desc_create(
      &description, back ? used : given, request->engine, back ? given : used, request->engine,
      request->attributes);
  if (status) return status;
  status = dnnl_primitive_create(&c->reorder, description);
  dnnl_primitive_desc_destroy(description);
  return status;
}

int32_t norma_onednn_convolution_create(
    norma_onednn_convolution **result, norma_onednn_pass pass, norma_onednn_type element,
    const norma_onednn_matrices *source, const norma_onednn_matrices *weights, bool has_bias,
    const norma_onednn_matrices *destination, const norma_onednn_window *window) {
  *result = NULL;
  Request request = {.window = window, .engine = norma_engine()};
  if (!request.engine) return dnnl_runtime_error;
  norma_onednn_convolution *c = calloc(1, sizeof *c);
  if (!c) return dnnl_out_of_memory;
  c->pass = pass;
  const int space = source->rank - 2;
  for (int d = 0; d < space; d++) request.dilation[d] = window->dilation[d] - 1;
  const dnnl_data_type_t type = data_type(element);
  const int64_t one = 1, *outputs = &destination->dims[1];
  dnnl_status_t status = descriptor_create(
      &c->slots[slot_source], source->rank, source->dims, source->strides, type);
  if (!status) {
    status = descriptor_create(
        &c->slots[slot_weights], weights->rank, weights->dims, weights->strides, type);
  }
  if (!status && has_bias) {
    status = descriptor_create(&c->slots[slot_bias], 1, outputs, &one, type);
  }
  if (!status) {
    status = descriptor_create(
        &c->slots[slot_destination], destination->rank, destination->dims, destination->strides,
        type);
  }
  if (!status) {
    status = descriptor_create_any(&request.weights, weights->rank, weights->dims, type);
  }
  if (!status) {
    status = descriptor_create_any(
        &request.weights_gradient, weights->rank, weights->dims, dnnl_f32);
  }
  if (!status) status = dnnl_primitive_attr_create(&request.attributes);
  if (!status) {
    // The workspace is the caller's: a primitive with its own could not run on two threads.
    status = dnnl_primitive_attr_set_scratchpad_mode(
        request.attributes, dnnl_scratchpad_mode_user);
  }
  request.source = c->slots[slot_source];
  request.bias = c->slots[slot_bias];
  request.destination = c->slots[slot_destination];
  if (!status) status = describe(&c->description, pass, &request);
  if (!status) status = dnnl_primitive_create(&c->primitive, c->description);
  if (!status) status = prepare_reorder(c, &request);
  descriptor_free(request.weights);
  descriptor_free(request.weights_gradient);
  if (request.attributes) dnnl_primitive_attr_destroy(request.attributes);
  if (status) {
    norma_onednn_convolution_free(c);
    return status;
  }
  *result = c;
  return dnnl_success;
}

// Memory objects of a run, all of which must be released.
typedef struct {
  dnnl_exec_arg_t arguments[5];
  int count;
} Arguments;

static dnnl_status_t add(
    Arguments *a, int argument, ConstDescriptor layout, dnnl_engine_t engine, const void *at) {
  dnnl_exec_arg_t *next = &a->arguments[a->count];
  next->arg = argument;
  dnnl_status_t status = dnnl_memory_create(&next->memory, layout, engine, (void *)at);
  if (!status) a->count++;
  return status;
}

static void give_back(Arguments *a) {
  for (int i = 0; i < a->count; i++) dnnl_memory_destroy(a->arguments[i].memory);
}

static size_t rounded(size_t bytes) { return (bytes + 4095) & ~(size_t)4095; }

static dnnl_status_t reorder_weights(
    const norma_onednn_convolution *c, dnnl_stream_t stream, dnnl_engine_t engine,
    const void *given, void *used) {
  const int back = c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT;
  ConstDescriptor layout = used_layout(c->description, weights_argument(c));
  Arguments a = {.count = 0};
  dnnl_status_t status = add(
      &a, DNNL_ARG_FROM, back ? layout : (ConstDescriptor)c->slots[slot_weights], engine,
      back ? used : given);
  if (!status) {
    status = add(&a, DNNL_ARG_TO, back ? (ConstDescriptor)c->slots[slot_weights] : layout, engine,
                 back ? given : used);
  }
  if (!status) status = dnnl_primitive_execute(c->reorder, stream, a.count, a.arguments);
  give_back(&a);
  return status;
}

int64_t norma_onednn_convolution_packed_size(const norma_onednn_convolution *c) {
  if (!c->reorder) return 0;
  ConstDescriptor used = used_layout(c->description, weights_argument(c));
  return (int64_t)rounded(dnnl_memory_desc_get_size(used));
}

int32_t norma_onednn_convolution_pack(
    const norma_onednn_convolution *c, const void *weights, void *packed) {
  ThreadState *state = norma_thread_state();
  if (!state) return dnnl_out_of_memory;
  dnnl_status_t status = reorder_weights(c, state->stream, norma_engine(), weights, packed);
  return status ? status : dnnl_stream_wait(state->stream);
}

bool norma_onednn_convolution_packs_alike(
    const norma_onednn_convolution *first, const norma_onednn_convolution *second) {
  return first->reorder && second->reorder
      && dnnl_memory_desc_equal(
          used_layout(first->description, weights_argument(first)),
          used_layout(second->description, weights_argument(second)));
}

int32_t norma_onednn_convolution_run(
    const norma_onednn_convolution *c, const void *source, const void *weights,
    const void *packed, const void *bias, const void *destination) {
  ThreadState *state = norma_thread_state();
  dnnl_engine_t engine = norma_engine();
  if (!state) return dnnl_out_of_memory;
  ConstDescriptor used = used_layout(c->description, weights_argument(c));
  ConstDescriptor scratch =
      dnnl_primitive_desc_query_md(c->description, dnnl_query_scratchpad_md, 0);
  const size_t scratch_bytes = scratch ? rounded(dnnl_memory_desc_get_size(scratch)) : 0;
  const size_t weight_bytes = packed ? 0 : (size_t)norma_onednn_convolution_packed_size(c);
  const size_t bytes = scratch_bytes + weight_bytes;
  char *workspace = bytes ? norma_workspace(state, bytes) : NULL;
  if (bytes && !workspace) return dnnl_out_of_memory;
  void *ordered = (void *)weights;
  if (c->reorder) ordered = packed ? (void *)packed : workspace + scratch_bytes;

  const int is_source = c->pass == NORMA_ONEDNN_SOURCE_GRADIENT;
  const int is_weights = c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT;
  const int is_forward = c->pass == NORMA_ONEDNN_FORWARD;
  dnnl_status_t status = dnnl_success;
  if (c->reorder && !packed && !is_weights) {
    status = reorder_weights(c, state->stream, engine, weights, ordered);
  }
  Arguments a = {.count = 0};
  if (!status) {
    status = add(&a, is_source ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, c->slots[slot_source], engine,
                 source);
  }
  if (!status) status = add(&a, weights_argument(c), used, engine, ordered);
  if (!status) {
    status = add(&a, is_forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, c->slots[slot_destination],
                 engine, destination);
  }
  if (!status && c->slots[slot_bias]) {
    status = add(&a, DNNL_ARG_BIAS, c->slots[slot_bias], engine, bias);
  }
  if (!status && scratch_bytes) status = add(&a, DNNL_ARG_SCRATCHPAD, scratch, engine, workspace);
  if (!status) status = dnnl_primitive_execute(c->primitive, state->stream, a.count, a.arguments);
  if (!status && c->reorder && is_weights) {
    status = reorder_weights(c, state->stream, engine, weights, ordered);
  }
  if (!status) status = dnnl_stream_wait(state->stream);
  give_back(&a);
  return status;
}

const char *norma_onednn_convolution_implementation(const norma_onednn_convolution *c) {
  const char *name = "";
  dnnl_primitive_desc_query(c->description, dnnl_query_impl_info_str, 0, &name);
  return name;
}

void norma_onednn_convolution_free(norma_onednn_convolution *c) {
  if (!c) return;
  for (int slot = 0; slot < slot_count; slot++) descriptor_free(c->slots[slot]);
  if (c->reorder) dnnl_primitive_destroy(c->reorder);
  if (c->primitive) dnnl_primitive_destroy(c->primitive);
  if (c->description) dnnl_primitive_desc_destroy(c->description);
  free(c);
}

#endif
