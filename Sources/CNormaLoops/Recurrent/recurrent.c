#include "recurrent.h"

#include <stddef.h>
#include <string.h>

#include "run_type.h"

#pragma clang fp contract(off)

#define BODY "recurrent_body.h"
#include "each_level.h"

static void apply(norma_loop loop, int64_t n, void *x) {
  loop((size_t)n, (const void *const[]){x}, x);
}

#define FORWARD(name, T)                                                                        \
  static void forward_##name(                                                                   \
      const norma_recurrent_step *s, T *p, T *h_new, T *c_new, T *saved) {                      \
    const int64_t n = s->width, gates = s->kind == NORMA_LSTM ? 4 : s->kind == NORMA_GRU ? 3 : 1; \
    const norma_loop tanh = norma_find_loop(NORMA_TANH, s->type, 0);                            \
    const norma_loop sigmoid = norma_find_loop(NORMA_SIGMOID, s->type, 0);                      \
    const T *inner = s->inner_bias;                                                             \
    const T *x = s->input, *h = s->hidden, *c = s->cell, *b = s->bias;                          \
    for (int64_t row = 0; row < s->rows; row++) {                                               \
      if (s->valid && !s->valid[row]) {                                                         \
        memcpy(h_new, h, (size_t)n * sizeof(T));                                                \
        if (c_new && c_new != c) memcpy(c_new, c, (size_t)n * sizeof(T));                       \
      } else if (s->kind == NORMA_LSTM) {                                                       \
        OF_LEVEL(biased_##name)(4 * n, x, b, p);                                                \
        apply(sigmoid, 2 * n, p);                                                               \
        apply(tanh, n, p + 2 * n);                                                              \
        apply(sigmoid, n, p + 3 * n);                                                           \
        OF_LEVEL(cells_##name)(n, p, c, c_new);                                                 \
        tanh((size_t)n, (const void *const[]){c_new}, h_new);                                   \
        OF_LEVEL(scale_##name)(n, p + 3 * n, h_new);                                            \
        if (saved) memcpy(saved, p, (size_t)(4 * n) * sizeof(T));                               \
      } else if (s->kind == NORMA_GRU) {                                                        \
        OF_LEVEL(biased_##name)(2 * n, x, b, p);                                                \
        apply(sigmoid, 2 * n, p);                                                               \
        if (inner) OF_LEVEL(sums_##name)(n, inner, p + 2 * n);                                  \
        OF_LEVEL(resets_##name)(n, p, p + 2 * n, h_new);                                        \
        OF_LEVEL(biased_##name)(n, x + 2 * n, b ? b + 2 * n : NULL, h_new);                     \
        apply(tanh, n, h_new);                                                                  \
        if (saved) {                                                                            \
          memcpy(saved, p, (size_t)(2 * n) * sizeof(T));                                        \
          memcpy(saved + 2 * n, h_new, (size_t)n * sizeof(T));                                  \
          memcpy(saved + 3 * n, p + 2 * n, (size_t)n * sizeof(T));                              \
        }                                                                                       \
        OF_LEVEL(updates_##name)(n, p + n, h, h_new);                                           \
      } else {                                                                                  \
        OF_LEVEL(biased_##name)(n, x, b, p);                                                    \
        if (s->kind == NORMA_RNN_RELU) OF_LEVEL(relu_##name)(n, p, h_new);                      \
        else tanh((size_t)n, (const void *const[]){p}, h_new);                                  \
      }                                                                                         \
      x += gates * n, p += gates * n, h += n, h_new += n;                                       \
      if (c) c += n, c_new += n;                                                                \
      if (saved) saved += 4 * n;                                                                \
    }                                                                                           \
  }
FORWARD(f32, float)
FORWARD(f64, double)

void norma_recurrent_forward(
    const norma_recurrent_step *step, void *product, void *new_hidden, void *new_cell,
    void *saved) {
  OF_REAL(ALL_LEVELS, forward, step->type, (step, product, new_hidden, new_cell, saved));
}

// `direct` holds the whole gradient of the new state before it gets that of the old one.
#define GRADIENT(name, T)                                                                       \
  static void gradient_##name(                                                                  \
      const norma_recurrent_step *s, const norma_recurrent_result *r, T *direct, T *slope,      \
      T *gates, T *products, T *shown) {                                                        \
    const int64_t n = s->width, count = s->kind == NORMA_LSTM ? 4 : s->kind == NORMA_GRU ? 3 : 1; \
    const norma_loop tanh = norma_find_loop(NORMA_TANH, s->type, 0);                            \
    const T *saved = r->saved, *y = r->new_hidden, *c_new = r->new_cell;                        \
    const T *upstream = r->upstream, *back = r->back, *h = s->hidden, *c = s->cell;             \
    for (int64_t row = 0; row < s->rows; row++) {                                               \
      OF_LEVEL(sums_##name)(n, back, direct);                                                   \
      OF_LEVEL(sums_##name)(n, upstream, direct);                                               \
      if (s->valid && !s->valid[row]) {                                                         \
        memset(gates, 0, (size_t)(count * n) * sizeof(T));                                      \
        if (products) memset(products, 0, (size_t)(count * n) * sizeof(T));                     \
      } else if (s->kind == NORMA_LSTM) {                                                       \
        tanh((size_t)n, (const void *const[]){c_new}, shown);                                   \
        OF_LEVEL(lstm_gradient_##name)(n, saved, shown, c, direct, slope, gates);               \
        memset(direct, 0, (size_t)n * sizeof(T));                                               \
      } else if (s->kind == NORMA_GRU) {                                                        \
        OF_LEVEL(gru_gradient_##name)(n, saved, h, direct, gates, products);                    \
      } else {                                                                                  \
        OF_LEVEL(rnn_gradient_##name)(n, s->kind == NORMA_RNN_RELU, y, direct, gates);          \
        memset(direct, 0, (size_t)n * sizeof(T));                                               \
      }                                                                                         \
      upstream += n, back += n, direct += n, y += n, h += n, gates += count * n;                \
      if (c) c += n, c_new += n, slope += n;                                                    \
      if (saved) saved += 4 * n;                                                                \
      if (products) products += count * n;                                                      \
    }                                                                                           \
  }
GRADIENT(f32, float)
GRADIENT(f64, double)

void norma_recurrent_gradient(
    const norma_recurrent_step *step, const norma_recurrent_result *result, void *direct,
    void *cell, void *gates, void *products, void *scratch) {
  OF_REAL(
      ALL_LEVELS, gradient, step->type, (step, result, direct, cell, gates, products, scratch));
}
