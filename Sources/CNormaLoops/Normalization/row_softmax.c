#include "row_softmax.h"

#include <stddef.h>
#include <string.h>

#include "levels.h"
#include "loops.h"
#include "parts.h"
#include "program.h"
#include "run_level.h"
#include "vectors.h"
#include "worker.h"

#pragma clang fp contract(off)

#define BODY "row_softmax_body.h"
#include "each_level.h"

enum {
  // Longer rows are computed directly in the result.
  MOST_STREAMED = 16384,
  // Short rows are processed together, up to this many values: their sums overlap, and functions
  // run over all of them.
  MOST_ROWS = 16,
  MOST_VALUES = 1536,
  PART = 64
};

static int64_t rows_at_once(int64_t columns) {
  const int64_t most = MOST_VALUES / columns;
  return most < 1 ? 1 : smaller(most, MOST_ROWS);
}

// The loops that rows are computed with.
typedef struct {
  const norma_reductions *reductions;
  norma_loop subtract, exp;
} row_loops;

static row_loops find_loops(void) {
  return (row_loops){
      norma_find_reductions(NORMA_F32), norma_find_loop(NORMA_SUBTRACT, NORMA_F32, 2),
      norma_find_loop(NORMA_EXP, NORMA_F32, 0)};
}

// Powers of n values. Meanwhile prefetches the next `rest` values, and the destination of their
// results, a few lines at a time: the processor's own prefetching stops at the end of a page, and
// does not anticipate stores. `next` and `target` may be NULL.
static void take_powers(
    const row_loops *loops, int64_t n, const float *values, float *powers, const float *next,
    const float *target, int64_t rest) {
  for (int64_t at = 0; at < n; at += PART) {
    loops->exp((size_t)smaller(PART, n - at), (const void *const[]){values + at}, powers + at);
    for (int64_t i = at; i < smaller(smaller(at + PART, n), rest); i += 16) {
      if (next) __builtin_prefetch(next + i);
      if (target) __builtin_prefetch(target + i, 1);
    }
  }
}

// Summed block by block, like every sum.
static double row_sum(const row_loops *loops, int64_t n, const float *values) {
  double sum = 0;
  for (int64_t at = 0; at < n; at += NORMA_BLOCK) {
    double part;
    loops->reductions->sum((size_t)smaller(n - at, NORMA_BLOCK), values + at, &part);
    sum = at ? sum + part : part;
  }
  return sum;
}

// x - max(x), and the maximum itself.
static float subtract_largest(const row_loops *loops, int64_t n, const float *x, float *distances) {
  float highest = x[0];
  loops->reductions->maximum((size_t)n, x, &highest);
  loops->subtract((size_t)n, (const void *const[]){x, &highest}, distances);
  return highest;
}

void norma_row_softmax(
    int64_t columns, const float *x, int64_t causal, float *result, int streamed, int64_t begin,
    int64_t end) {
  const row_loops loops = find_loops();
  const int64_t most = rows_at_once(columns);
  float scratch[MOST_STREAMED];
  for (int64_t row = begin; row < end; row += most) {
    const int64_t some = smaller(most, end - row);
    float *powers = columns <= MOST_STREAMED ? scratch : result + row * columns;
    int64_t seen[MOST_ROWS], widths[MOST_ROWS], all = 0;
    for (int64_t k = 0; k < some; k++) {
      const float *from = x + (row + k) * columns;
      float *own = powers + all;
      seen[k] = causal ? smaller(columns, (row + k) % causal + 1) : columns;
      // Padded to full vectors: the padding does not affect the maximum, and adds 0 to the sum.
      widths[k] = smaller(columns, parts(seen[k], 32) * 32);
      if (seen[k] < widths[k]) {
        memcpy(own, from, (size_t)widths[k] * sizeof(float));
        OF_LEVEL(fill)(seen[k], widths[k], from[0], own);
        from = own;
      }
      subtract_largest(&loops, widths[k], from, own);
      all += widths[k];
    }
    const int64_t next = (row + some) * columns;
    take_powers(
        &loops, all, powers, powers, x + next, streamed ? NULL : result + next,
        end * columns - next);
    double factors[MOST_ROWS];
    for (int64_t k = 0, at = 0; k < some; at += widths[k++]) {
      OF_LEVEL(fill)(seen[k], widths[k], 0, powers + at);
      factors[k] = 1 / row_sum(&loops, widths[k], powers + at);
    }
    const int apart = streamed && powers == scratch;
    for (int64_t k = 0, at = 0; k < some; at += widths[k++]) {
      float *to = result + (row + k) * columns;
      const int64_t n = widths[k];
      OF_LEVEL(scale)(n, powers + at, factors[k], apart ? powers + at : to);
      if (apart) norma_stream_copy(to, powers + at, (size_t)n * sizeof(float));
      if (n < columns) memset(to + n, 0, (size_t)(columns - n) * sizeof(float));
    }
  }
}

void norma_row_softmax_gradient(
    int64_t columns, const float *y, const float *upstream, float *result, int streamed,
    int64_t begin, int64_t end) {
  const norma_reductions *reductions = norma_find_reductions(NORMA_F32);
  const double zero = 0;
  float scratch[MOST_STREAMED];
  const int apart = streamed && columns <= MOST_STREAMED;
  for (int64_t row = begin; row < end; row++) {
    const float *own = y + row * columns, *g = upstream + row * columns;
    float *to = result + row * columns;
    double mean = 0;
    for (int64_t at = 0; at < columns; at += NORMA_BLOCK) {
      double part;
      reductions->centered_sum(
          (size_t)smaller(columns - at, NORMA_BLOCK), own + at, g + at, &zero, &part);
      mean = at ? mean + part : part;
    }
    OF_LEVEL(share)(columns, own, g, mean, apart ? scratch : to);
    if (apart) norma_stream_copy(to, scratch, (size_t)columns * sizeof(float));
  }
}

// The logarithm of the sum of exp(x - highest) for each of several rows; if not NULL, `distances`
// gets x - highest, `sums` the sums. `rest` values follow.
static void log_sums_of_rows(
    const row_loops *loops, int64_t rows, int64_t columns, int64_t rest, const float *x,
    float *distances, float *highest, double *sums, float *logs) {
  const norma_loop log1p = norma_find_loop(NORMA_LOG1P, NORMA_F32, 0);
  float powers[NORMA_BLOCK];
  if (columns <= NORMA_BLOCK) {
    float *to = distances ? distances : powers;
    for (int64_t k = 0; k < rows; k++) {
      highest[k] = subtract_largest(loops, columns, x + k * columns, to + k * columns);
    }
    const int64_t all = rows * columns;
    take_powers(
        loops, all, to, powers, x + all, distances ? distances + all : NULL, rest);
    for (int64_t k = 0; k < rows; k++) {
      loops->reductions->sum((size_t)columns, powers + k * columns, &sums[k]);
    }
  } else {
    highest[0] = x[0];
    loops->reductions->maximum((size_t)columns, x, &highest[0]);
    for (int64_t at = 0; at < columns; at += NORMA_BLOCK) {
      const size_t n = (size_t)smaller(columns - at, NORMA_BLOCK);
      float *to = distances ? distances + at : powers;
      double part;
      loops->subtract(n, (const void *const[]){x + at, &highest[0]}, to);
      loops->exp(n, (const void *const[]){to}, powers);
      loops->reductions->sum(n, powers, &part);
      sums[0] = at ? sums[0] + part : part;
    }
  }
  // The largest element contributes 1: subtracting it keeps the digits of the others.
  for (int64_t k = 0; k < rows; k++) logs[k] = (float)(sums[k] - 1);
  log1p((size_t)rows, (const void *const[]){logs}, logs);
}

void norma_row_log_sum_exp(
    int64_t columns, const float *x, float *result, int64_t begin, int64_t end) {
  const row_loops loops = find_loops();
  const norma_loop log = norma_find_loop(NORMA_LOG, NORMA_F32, 0);
  float powers[NORMA_BLOCK];
  for (int64_t row = begin; row < end; row++) {
    const float *from = x + row * columns;
    float highest = from[0];
    loops.reductions->maximum((size_t)columns, from, &highest);
    // Infinite maxima are not subtracted: infinity minus infinity is NaN.
    const float shift = __builtin_isinf(highest) ? 0 : highest;
    double sum = 0;
    for (int64_t at = 0; at < columns; at += NORMA_BLOCK) {
      const size_t n = (size_t)smaller(columns - at, NORMA_BLOCK);
      double part;
      loops.subtract(n, (const void *const[]){from + at, &shift}, powers);
      loops.exp(n, (const void *const[]){powers}, powers);
      loops.reductions->sum(n, powers, &part);
      sum = at ? sum + part : part;
    }
    float value = (float)sum;
    log(1, (const void *const[]){&value}, &value);
    result[row] = value + shift;
  }
}

void norma_row_log_softmax(
    int64_t columns, const float *x, float *result, int streamed, int64_t begin, int64_t end) {
  const row_loops loops = find_loops();
  const int64_t most = rows_at_once(columns);
  float scratch[MOST_STREAMED];
  const int apart = streamed && columns <= MOST_STREAMED;
  for (int64_t row = begin; row < end; row += most) {
    const int64_t some = smaller(most, end - row);
    float *all = apart ? scratch : result + row * columns;
    float highest[MOST_ROWS], logs[MOST_ROWS];
    double sums[MOST_ROWS];
    log_sums_of_rows(
        &loops, some, columns, (end - row - some) * columns, x + row * columns, all, highest, sums,
        logs);
    for (int64_t k = 0; k < some; k++) {
      float *to = all + k * columns;
      loops.subtract((size_t)columns, (const void *const[]){to, &logs[k]}, to);
    }
    if (apart) {
      norma_stream_copy(result + row * columns, scratch, (size_t)(some * columns) * sizeof(float));
    }
  }
}

void norma_row_log_softmax_at(
    int64_t columns, const float *x, const int64_t *indices, float *result, float *highest,
    double *sums, int64_t begin, int64_t end) {
  const row_loops loops = find_loops();
  const int64_t most = rows_at_once(columns);
  for (int64_t row = begin; row < end; row += most) {
    const int64_t some = smaller(most, end - row);
    const float *from = x + row * columns;
    log_sums_of_rows(
        &loops, some, columns, (end - row - some) * columns, from, NULL, highest + row, sums + row,
        result + row);
    for (int64_t k = row; k < row + some; k++, from += columns) {
      result[k] = indices[k] < 0 ? 0 : (from[indices[k]] - highest[k]) - result[k];
    }
  }
}

void norma_row_log_softmax_at_gradient(
    int64_t columns, const float *x, const int64_t *indices, const float *highest,
    const double *sums, const float *upstream, float *result, int streamed, int64_t begin,
    int64_t end) {
  const row_loops loops = find_loops();
  const int64_t most = rows_at_once(columns);
  const size_t n = (size_t)columns;
  float scratch[MOST_STREAMED];
  const int apart = streamed && columns <= MOST_STREAMED;
  for (int64_t row = begin; row < end; row += most) {
    const int64_t some = smaller(most, end - row);
    float *all = apart ? scratch : result + row * columns;
    for (int64_t k = 0; k < some; k++) {
      const void *const operands[] = {x + (row + k) * columns, &highest[row + k]};
      loops.subtract(n, operands, all + k * columns);
    }
    const int64_t next = (row + some) * columns;
    take_powers(
        &loops, some * columns, all, all, x + next, apart ? NULL : result + next,
        end * columns - next);
    for (int64_t k = 0; k < some; k++) {
      float *to = all + k * columns;
      const int64_t index = indices[row + k];
      if (index < 0) {
        memset(to, 0, n * sizeof(float));
        continue;
      }
      const double sum = sums[row + k], factor = (double)upstream[row + k] / sum;
      // The contribution of the others: summed directly if the element has almost all of the sum.
      const double others = sum - (double)to[index];
      OF_LEVEL(scale)(columns, to, -factor, to);
      to[index] = (float)(others * factor);
    }
    if (apart) {
      norma_stream_copy(result + row * columns, scratch, (size_t)some * n * sizeof(float));
    }
  }
}
