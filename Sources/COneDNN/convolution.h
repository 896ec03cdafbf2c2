// What convolution.c compiles and runs, and convolution_describe.c describes to oneDNN.
#pragma once

#include "descriptors.h"

enum { slot_source, slot_weights, slot_bias, slot_destination, slot_count };

// The weights are read or written in `slots[slot_weights]`, and used in an order that oneDNN
// chooses; `reorder` converts between the two, before or after the pass.
struct norma_onednn_convolution {
  norma_onednn_pass pass;
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  Descriptor slots[slot_count];
  dnnl_primitive_t reorder;
  // Winograd's algorithm has an order of its own for source and destination, too. It may compute a
  // row more than is wanted; `wanted` are the others.
  dnnl_primitive_t reorder_source, reorder_destination;
  Descriptor wanted;
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

static inline ConstDescriptor used_layout(dnnl_primitive_desc_t description, int argument) {
  return dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, argument);
}

// Compiles a conversion between two orders.
dnnl_status_t norma_reorder_create(
    dnnl_primitive_t *result, ConstDescriptor from, ConstDescriptor to, const Request *request);

// Describes a pass by the definition.
dnnl_status_t norma_describe(
    dnnl_primitive_desc_t *result, norma_onednn_pass pass, const Request *request);

// Describes a forward pass by Winograd's algorithm F(2x2, 3x3), with its conversions. Fails if
// oneDNN does not have it.
dnnl_status_t norma_describe_winograd(norma_onednn_convolution *c, const Request *request);
