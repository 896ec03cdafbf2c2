// Steps of recurrent networks, and their gradients: what happens between matrix products. Types are
// NORMA_F32 and NORMA_F64.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

enum norma_recurrence { NORMA_RNN_TANH, NORMA_RNN_RELU, NORMA_LSTM, NORMA_GRU };

/// One step of some sequences. Rows of every array are adjacent, and a row is a sequence.
///
/// With s the sums of the input's share x, of its bias b, and of the product p, gate by gate:
/// - RNN: h' = tanh s or relu s.
/// - LSTM: i, f, o = sigmoid s, g = tanh s; cell' = f cell + i g; h' = o tanh cell'.
/// - GRU: r, z = sigmoid s, m = p + c, n = tanh(x + b + r m); h' = n + z (h - n).
typedef struct {
  int kind, type;
  int64_t rows, width;
  /// x: 1, 4 or 3 gates of `width` numbers a row: LSTM's in the order i, f, g, o, GRU's r, z, n.
  const void *input;
  /// b, a number for each of a row of x, and GRU's c, `width` numbers; or NULL.
  const void *_Nullable bias;
  const void *_Nullable inner_bias;
  /// The state before the step. `cell` is NULL except for LSTM.
  const void *hidden;
  const void *_Nullable cell;
  /// A byte for each row: 0 where there is no such step, and the state stays. Or NULL.
  const uint8_t *_Nullable valid;
} norma_recurrent_step;

/// Computes the state after the step. `product` is p, and is overwritten; `new_cell` may be `cell`.
/// `saved` gets what the gradient needs, 4 numbers per component (LSTM: i, f, g, o; GRU: r, z, n,
/// m), or is NULL.
void norma_recurrent_forward(
    const norma_recurrent_step *step, void *product, void *new_hidden, void *_Nullable new_cell,
    void *_Nullable saved);

/// The gradients of one step, from those of its new state: `upstream`, of the output, plus `back`
/// and `direct`, which came from the step after it.
typedef struct {
  const void *_Nullable saved;
  const void *new_hidden;
  const void *_Nullable new_cell;
  const void *upstream, *back;
} norma_recurrent_result;

/// Writes the gradients of x to `gates`, and those of p to `products`, which is NULL if they are
/// equal: except for GRU. `direct` gets the gradient of the old state except through the product;
/// `cell` holds LSTM's gradient of the new cell and gets that of the old one. `scratch` has room
/// for a row of `width` numbers.
void norma_recurrent_gradient(
    const norma_recurrent_step *step, const norma_recurrent_result *result, void *direct,
    void *_Nullable cell, void *gates, void *_Nullable products, void *scratch);

#pragma clang assume_nonnull end
