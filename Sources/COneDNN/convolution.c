#if defined(NORMA_ONEDNN)

#include "convolution.h"
#include "state.h"

static int weights_argument(const norma_onednn_convolution *c) {
  return c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
}

// Prepares the conversion of the weights to oneDNN's order, or back from it.
static dnnl_status_t prepare_reorder(norma_onednn_convolution *c, const Request *request) {
  ConstDescriptor used = used_layout(c->description, weights_argument(c));
  Descriptor given = c->slots[slot_weights];
  if (dnnl_memory_desc_equal(used, given)) return dnnl_success;
  const int back = c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT;
  return norma_reorder_create(&c->reorder, back ? used : given, back ? given : used, request);
}

static void forget(norma_onednn_convolution *c) {
  if (c->reorder) dnnl_primitive_destroy(c->reorder);
  if (c->reorder_source) dnnl_primitive_destroy(c->reorder_source);
  if (c->reorder_destination) dnnl_primitive_destroy(c->reorder_destination);
  if (c->primitive) dnnl_primitive_destroy(c->primitive);
  if (c->description) dnnl_primitive_desc_destroy(c->description);
  descriptor_free(c->wanted);
  c->reorder = c->reorder_source = c->reorder_destination = c->primitive = NULL;
  c->description = NULL;
  c->wanted = NULL;
}

static dnnl_status_t compile(
    norma_onednn_convolution *c, norma_onednn_pass pass, const Request *request, bool winograd) {
  dnnl_status_t status = winograd ? norma_describe_winograd(c, request)
                                  : norma_describe(&c->description, pass, request);
  if (!status) status = dnnl_primitive_create(&c->primitive, c->description);
  if (!status) status = prepare_reorder(c, request);
  if (status) forget(c);
  return status;
}

int32_t norma_onednn_convolution_create(
    norma_onednn_convolution **result, norma_onednn_pass pass, norma_onednn_type element,
    const norma_onednn_matrices *source, const norma_onednn_matrices *weights, bool has_bias,
    const norma_onednn_matrices *destination, const norma_onednn_window *window, bool winograd) {
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
  if (!status) {
    status = dnnl_unimplemented;
    if (winograd && pass == NORMA_ONEDNN_FORWARD) status = compile(c, pass, &request, true);
    if (status) status = compile(c, pass, &request, false);
  }
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

static size_t used_bytes(const norma_onednn_convolution *c, int argument) {
  return rounded(dnnl_memory_desc_get_size(used_layout(c->description, argument)));
}

static ConstDescriptor scratchpad(dnnl_primitive_t primitive) {
  const_dnnl_primitive_desc_t description = NULL;
  if (!primitive || dnnl_primitive_get_primitive_desc(primitive, &description)) return NULL;
  return dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
}

static size_t scratchpad_bytes(dnnl_primitive_t primitive) {
  ConstDescriptor scratch = scratchpad(primitive);
  return scratch ? rounded(dnnl_memory_desc_get_size(scratch)) : 0;
}

static dnnl_status_t add_scratchpad(
    Arguments *a, dnnl_primitive_t primitive, dnnl_engine_t engine, const void *at) {
  if (!scratchpad_bytes(primitive)) return dnnl_success;
  return add(a, DNNL_ARG_SCRATCHPAD, scratchpad(primitive), engine, at);
}

static dnnl_status_t reorder(
    dnnl_primitive_t primitive, dnnl_stream_t stream, dnnl_engine_t engine, ConstDescriptor from,
    const void *read, ConstDescriptor to, const void *written, const void *scratch) {
  Arguments a = {.count = 0};
  dnnl_status_t status = add(&a, DNNL_ARG_FROM, from, engine, read);
  if (!status) status = add(&a, DNNL_ARG_TO, to, engine, written);
  if (!status) status = add_scratchpad(&a, primitive, engine, scratch);
  if (!status) status = dnnl_primitive_execute(primitive, stream, a.count, a.arguments);
  give_back(&a);
  return status;
}

static dnnl_status_t reorder_weights(
    const norma_onednn_convolution *c, dnnl_stream_t stream, dnnl_engine_t engine,
    const void *given, void *used, const void *scratch) {
  ConstDescriptor theirs = c->slots[slot_weights];
  ConstDescriptor own = used_layout(c->description, weights_argument(c));
  return c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT
      ? reorder(c->reorder, stream, engine, own, used, theirs, given, scratch)
      : reorder(c->reorder, stream, engine, theirs, given, own, used, scratch);
}

int64_t norma_onednn_convolution_packed_size(const norma_onednn_convolution *c) {
  return c->reorder ? (int64_t)used_bytes(c, weights_argument(c)) : 0;
}

int32_t norma_onednn_convolution_pack(
    const norma_onednn_convolution *c, const void *weights, void *packed) {
  ThreadState *state = norma_thread_state();
  if (!state) return dnnl_out_of_memory;
  const size_t bytes = scratchpad_bytes(c->reorder);
  void *scratch = bytes ? norma_workspace(state, bytes) : NULL;
  if (bytes && !scratch) return dnnl_out_of_memory;
  dnnl_status_t status =
      reorder_weights(c, state->stream, norma_engine(), weights, packed, scratch);
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
  // They run one after the other.
  size_t scratch_bytes = 0;
  const dnnl_primitive_t all[] = {
      c->primitive, c->reorder, c->reorder_source, c->reorder_destination};
  for (int i = 0; i < 4; i++) {
    const size_t size = scratchpad_bytes(all[i]);
    if (size > scratch_bytes) scratch_bytes = size;
  }
  const size_t weight_bytes = packed ? 0 : (size_t)norma_onednn_convolution_packed_size(c);
  const size_t source_bytes = c->reorder_source ? used_bytes(c, DNNL_ARG_SRC) : 0;
  const size_t result_bytes = c->reorder_destination ? used_bytes(c, DNNL_ARG_DST) : 0;
  const size_t bytes = scratch_bytes + weight_bytes + source_bytes + result_bytes;
  char *workspace = bytes ? norma_workspace(state, bytes) : NULL;
  if (bytes && !workspace) return dnnl_out_of_memory;
  void *ordered = (void *)weights;
  if (c->reorder) ordered = packed ? (void *)packed : workspace + scratch_bytes;

  const int is_source = c->pass == NORMA_ONEDNN_SOURCE_GRADIENT;
  const int is_weights = c->pass == NORMA_ONEDNN_WEIGHTS_GRADIENT;
  const int is_forward = c->pass == NORMA_ONEDNN_FORWARD;
  dnnl_status_t status = dnnl_success;
  if (c->reorder && !packed && !is_weights) {
    status = reorder_weights(c, state->stream, engine, weights, ordered, workspace);
  }
  ConstDescriptor source_layout = c->slots[slot_source];
  ConstDescriptor result_layout = c->slots[slot_destination];
  const void *read = source, *written = destination;
  if (!status && c->reorder_source) {
    read = workspace + scratch_bytes + weight_bytes;
    written = workspace + scratch_bytes + weight_bytes + source_bytes;
    source_layout = used_layout(c->description, DNNL_ARG_SRC);
    result_layout = used_layout(c->description, DNNL_ARG_DST);
    status = reorder(
        c->reorder_source, state->stream, engine, c->slots[slot_source], source, source_layout,
        read, workspace);
  }
  Arguments a = {.count = 0};
  if (!status) {
    status = add(&a, is_source ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, source_layout, engine, read);
  }
  if (!status) status = add(&a, weights_argument(c), used, engine, ordered);
  if (!status) {
    status = add(
        &a, is_forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, result_layout, engine, written);
  }
  if (!status && c->slots[slot_bias]) {
    status = add(&a, DNNL_ARG_BIAS, c->slots[slot_bias], engine, bias);
  }
  if (!status) status = add_scratchpad(&a, c->primitive, engine, workspace);
  if (!status) status = dnnl_primitive_execute(c->primitive, state->stream, a.count, a.arguments);
  if (!status && c->reorder && is_weights) {
    status = reorder_weights(c, state->stream, engine, weights, ordered, workspace);
  }
  if (!status && c->reorder_destination) {
    status = reorder(
        c->reorder_destination, state->stream, engine, c->wanted, written,
        c->slots[slot_destination], destination, workspace);
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
  forget(c);
  free(c);
}

#endif
