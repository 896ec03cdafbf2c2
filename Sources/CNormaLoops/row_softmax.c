#include "row_softmax.h"

#include <stddef.h>
#include <string.h>

#include "levels.h"
#include "loops.h"
#include "program.h"
#include "worker.h"

#pragma clang fp contract(off)

#define SCALE(level)                                                               \
  static void scale_##level(int64_t n, float *values, double factor) {             \
    for (int64_t j = 0; j < n; j++) values[j] = (float)((double)values[j] * factor); \
  }

SCALE(base)
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
SCALE(v3)
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
SCALE(v4)
#pragma clang attribute pop
#endif

static void scale(int64_t n, float *values, double factor) {
#if defined(__x86_64__)
  switch (norma_loops_level()) {
    case 2: scale_v4(n, values, factor); return;
    case 1: scale_v3(n, values, factor); return;
  }
#endif
  scale_base(n, values, factor);
}

// Longer rows are made where they end up.
enum { MOST_STREAMED = 16384 };

void norma_row_softmax(
    int64_t columns, const float *x, float *result, int streamed, int64_t begin, int64_t end) {
  const norma_reductions *reductions = norma_find_reductions(NORMA_F32);
  const norma_loop subtract = norma_find_loop(NORMA_SUBTRACT, NORMA_F32, 2);
  const norma_loop exp = norma_find_loop(NORMA_EXP, NORMA_F32, 0);
  const size_t n = (size_t)columns;
  float scratch[MOST_STREAMED];
  const int apart = streamed && columns <= MOST_STREAMED;
  for (int64_t row = begin; row < end; row++) {
    const float *from = x + row * columns;
    float *to = apart ? scratch : result + row * columns;
    float highest = from[0];
    reductions->maximum(n, from, &highest);
    subtract(n, (const void *const[]){from, &highest}, to);
    // Asks for the next row: the processor's own prefetching stops at the end of a page.
    const char *next = (const char *)(from + n), *last = next + n * sizeof(float);
    for (; row + 1 < end && next < last; next += 64) __builtin_prefetch(next);
    exp(n, (const void *const[]){to}, to);
    double sum = 0;
    // By blocks, as every sum is taken.
    for (size_t at = 0; at < n; at += NORMA_BLOCK) {
      double part;
      reductions->sum(n - at < NORMA_BLOCK ? n - at : NORMA_BLOCK, to + at, &part);
      sum = at ? sum + part : part;
    }
    scale(columns, to, 1 / sum);
    if (apart) norma_stream_copy(result + row * columns, scratch, n * sizeof(float));
  }
}

// The logarithm of the sum of exp(x - highest) over a row; `distances`, where there is room for them, takes
// x - highest, `all` the sum. Sums are taken by blocks, as every sum is.
static float log_sum_of_row(
    int64_t columns, const float *x, float *distances, float *highest, double *all) {
  const norma_reductions *reductions = norma_find_reductions(NORMA_F32);
  const norma_loop subtract = norma_find_loop(NORMA_SUBTRACT, NORMA_F32, 2);
  const norma_loop exp = norma_find_loop(NORMA_EXP, NORMA_F32, 0);
  const norma_loop log1p = norma_find_loop(NORMA_LOG1P, NORMA_F32, 0);
  float powers[NORMA_BLOCK];
  *highest = x[0];
  reductions->maximum((size_t)columns, x, highest);
  double sum = 0;
  for (int64_t at = 0; at < columns; at += NORMA_BLOCK) {
    const size_t n = (size_t)(columns - at < NORMA_BLOCK ? columns - at : NORMA_BLOCK);
    float *to = distances ? distances + at : powers;
    double part;
    subtract(n, (const void *const[]){x + at, highest}, to);
    exp(n, (const void *const[]){to}, powers);
    reductions->sum(n, powers, &part);
    sum = at ? sum + part : part;
  }
  // The largest element gives 1: what the others give keeps its digits apart from it.
  *all = sum;
  float rest = (float)(sum - 1);
  log1p(1, (const void *const[]){&rest}, &rest);
  return rest;
}

void norma_row_log_sum_exp(
    int64_t columns, const float *x, float *result, int64_t begin, int64_t end) {
  const norma_reductions *reductions = norma_find_reductions(NORMA_F32);
  const norma_loop subtract = norma_find_loop(NORMA_SUBTRACT, NORMA_F32, 2);
  const norma_loop exp = norma_find_loop(NORMA_EXP, NORMA_F32, 0);
  const norma_loop log = norma_find_loop(NORMA_LOG, NORMA_F32, 0);
  float powers[NORMA_BLOCK];
  for (int64_t row = begin; row < end; row++) {
    const float *from = x + row * columns;
    float highest = from[0];
    reductions->maximum((size_t)columns, from, &highest);
    // Infinite maxima are not subtracted: infinity less itself is no number.
    const float shift = __builtin_isinf(highest) ? 0 : highest;
    double sum = 0;
    for (int64_t at = 0; at < columns; at += NORMA_BLOCK) {
      const size_t n = (size_t)(columns - at < NORMA_BLOCK ? columns - at : NORMA_BLOCK);
      double part;
      subtract(n, (const void *const[]){from + at, &shift}, powers);
      exp(n, (const void *const[]){powers}, powers);
      reductions->sum(n, powers, &part);
      sum = at ? sum + part : part;
    }
    float value = (float)sum;
    log(1, (const void *const[]){&value}, &value);
    result[row] = value + shift;
  }
}

void norma_row_log_softmax(
    int64_t columns, const float *x, float *result, int streamed, int64_t begin, int64_t end) {
  const norma_loop subtract = norma_find_loop(NORMA_SUBTRACT, NORMA_F32, 2);
  const size_t n = (size_t)columns;
  float scratch[MOST_STREAMED];
  const int apart = streamed && columns <= MOST_STREAMED;
  for (int64_t row = begin; row < end; row++) {
    const float *from = x + row * columns;
    float *to = apart ? scratch : result + row * columns;
    float highest;
    double sum;
    const float log_sum = log_sum_of_row(columns, from, to, &highest, &sum);
    subtract(n, (const void *const[]){to, &log_sum}, to);
    if (apart) norma_stream_copy(result + row * columns, scratch, n * sizeof(float));
  }
}

void norma_row_log_softmax_at(
    int64_t columns, const float *x, const int64_t *places, float *result, float *highest,
    double *sums, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float *from = x + row * columns;
    const float log_sum = log_sum_of_row(columns, from, NULL, &highest[row], &sums[row]);
    result[row] = places[row] < 0 ? 0 : (from[places[row]] - highest[row]) - log_sum;
  }
}

void norma_row_log_softmax_at_gradient(
    int64_t columns, const float *x, const int64_t *places, const float *highest,
    const double *sums, const float *upstream, float *result, int streamed, int64_t begin,
    int64_t end) {
  const norma_loop subtract = norma_find_loop(NORMA_SUBTRACT, NORMA_F32, 2);
  const norma_loop exp = norma_find_loop(NORMA_EXP, NORMA_F32, 0);
  const size_t n = (size_t)columns;
  float scratch[MOST_STREAMED];
  const int apart = streamed && columns <= MOST_STREAMED;
  for (int64_t row = begin; row < end; row++) {
    const float *from = x + row * columns;
    float *to = apart ? scratch : result + row * columns;
    const int64_t place = places[row];
    if (place < 0) {
      memset(to, 0, n * sizeof(float));
    } else {
      const double factor = (double)upstream[row] / sums[row];
      subtract(n, (const void *const[]){from, &highest[row]}, to);
      exp(n, (const void *const[]){to}, to);
      // What the others give: their sum itself, where the place has nearly all.
      const double others = sums[row] - (double)to[place];
      scale(columns, to, -factor);
      to[place] = (float)(others * factor);
    }
    if (apart) norma_stream_copy(result + row * columns, scratch, n * sizeof(float));
  }
}
