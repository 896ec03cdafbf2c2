#include "group_normalization.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "loops.h"
#include "parts.h"
#include "program.h"
#include "run_level.h"
#include "vectors.h"

#pragma clang fp contract(off)

// Rows this short are processed together, up to this many values, so that their divisions overlap.
enum { MOST_ROWS = 16, MOST_VALUES = 1024 };

// Rows this short keep their values in double between the two passes of a gradient.
enum { MOST_KEPT = 1024 };

// What is the same for all values of a row, for several rows.
typedef struct {
  float high[MOST_ROWS], low[MOST_ROWS], inverse[MOST_ROWS];
} norma_centers;

// dx = u scale + c slope + shift, with u and c as in norma_group_gradient: the terms that are the
// same for a group of n values, from its sums of u c and of u.
static inline void gradient_terms(
    double inverse, double n, double centered, double plain, int from_zero, double *slope,
    double *shift) {
  const double share = inverse / -n;
  *slope = share * (inverse * inverse) * centered;
  *shift = from_zero ? 0 : share * plain;
}

#define BODY "group_rows_body.h"
#include "each_level.h"

// Moments of parts of a group, merged in order.
typedef struct {
  const norma_reductions *loops;
  double count, sum, squares;
} moments;

static void add_tile(moments *all, int64_t n, const float *x, int from_zero) {
  double sum = 0, squares;
  if (from_zero) {
    const double zero = 0;
    all->loops->centered_sum((size_t)n, x, x, &zero, &squares);
    all->squares += squares;
  } else {
    double lost;
    all->loops->moments((size_t)n, x, &sum, &squares, &lost);
    if (all->count == 0) {
      all->sum = sum, all->squares = squares;
    } else {
      norma_merge_moments(
          1, all->count, &all->sum, &all->squares, NULL, (double)n, &sum, &squares, NULL);
    }
  }
  all->count += (double)n;
}

static moments group_moments(const norma_groups *groups, const float *x, int from_zero) {
  moments all = {norma_find_reductions(NORMA_F32), 0, 0, 0};
  const int64_t length = groups->length;
  if (length > NORMA_BLOCK / 2 || groups->pieces == 1) {
    for (int64_t piece = 0; piece < groups->pieces; piece++) {
      const float *row = x + piece * groups->piece_step;
      for (int64_t at = 0; at < length; at += NORMA_BLOCK) {
        add_tile(&all, smaller(length - at, NORMA_BLOCK), row + at, from_zero);
      }
    }
    return all;
  }
  // Short pieces are gathered: a tile costs about the same whatever its length.
  float tile[NORMA_BLOCK];
  const int64_t most = NORMA_BLOCK / length;
  for (int64_t piece = 0; piece < groups->pieces; piece += most) {
    const int64_t count = smaller(most, groups->pieces - piece);
    for (int64_t i = 0; i < count; i++) {
      const float *from = x + (piece + i) * groups->piece_step;
      memcpy(tile + i * length, from, (size_t)length * sizeof(float));
    }
    add_tile(&all, count * length, tile, from_zero);
  }
  return all;
}

// y of the run at `offset`, which shares one parameter.
static void normalize_run(
    const norma_groups *groups, const norma_group_parameters *parameters, norma_loop normalize,
    const norma_centers *centers, double inverse, int64_t row, int64_t offset, int64_t n,
    const float *x, float *y) {
  const int64_t parameter = offset / groups->inner % groups->period;
  float scale = centers->inverse[row], shift = parameters->bias ? parameters->bias[parameter] : 0;
  if (parameters->weight) {
    const float weight = parameters->weight[parameter];
    // If the parameter is the same for the whole group, it is part of its scale, which is rounded
    // once.
    scale = groups->inner >= groups->length ? (float)(inverse * (double)weight) : scale * weight;
  }
  const void *const operands[] = {
      x + offset, &centers->high[row], &centers->low[row], &scale, &shift};
  normalize((size_t)n, operands, y + offset);
}

void norma_normalize_groups(
    const norma_groups *groups, const norma_group_parameters *parameters, const float *x, float *y,
    double *mean, double *squares, double *variance, int64_t begin, int64_t end) {
  const norma_loop normalize = norma_find_loop(NORMA_NORMALIZE, NORMA_F32, 30);
  const int64_t length = groups->length;
  const int rows = groups->inner == 1 && parameters->weight;
  const int64_t run = rows ? length : smaller(groups->inner, length);
  const int short_rows = groups->pieces == 1 && length <= NORMA_BLOCK;
  const int64_t most = short_rows ? smaller(MOST_ROWS, 1 + MOST_VALUES / (length + 1)) : 1;
  for (int64_t group = begin; group < end; group += most) {
    const int64_t first = group * groups->group_step, some = smaller(most, end - group);
    norma_centers centers;
    double inverse[MOST_ROWS];
    if (short_rows && !parameters->from_zero) {
      norma_row_moments(
          (size_t)some, (size_t)length, (size_t)length, x + first, mean + group, squares + group);
      for (int64_t k = group; k < group + some; k++) {
        mean[k] /= (double)length, variance[k] = squares[k] / (double)length;
      }
    } else {
      for (int64_t k = group; k < group + some; k++) {
        const float *values = x + k * groups->group_step;
        moments all = group_moments(groups, values, parameters->from_zero);
        mean[k] = all.sum / all.count;
        squares[k] = all.squares, variance[k] = all.squares / all.count;
      }
    }
    for (int64_t k = 0; k < some; k++) {
      const double own = mean[group + k], high = (double)(float)own;
      inverse[k] = 1 / sqrt(variance[group + k] + parameters->eps);
      centers.inverse[k] = (float)inverse[k], centers.high[k] = (float)own;
      // An infinite mean has no low part.
      centers.low[k] = own != high ? (float)(own - high) : 0;
    }
    if (rows && groups->pieces == 1) {
      OF_LEVEL(normalize_rows)(
          some, length, length, x + first, &centers, parameters->weight, parameters->bias,
          y + first);
      continue;
    }
    for (int64_t k = 0; k < some; k++) {
      for (int64_t piece = 0; piece < groups->pieces; piece++) {
        const int64_t start = first + k * groups->group_step + piece * groups->piece_step;
        for (int64_t at = start; at < start + length; at += run) {
          if (rows) {
            OF_LEVEL(normalize_rows)(
                1, length, 0, x + at, &centers, parameters->weight, parameters->bias, y + at);
          } else {
            normalize_run(groups, parameters, normalize, &centers, inverse[k], k, at, run, x, y);
          }
        }
      }
    }
  }
}

void norma_group_gradient(
    const norma_groups *groups, const norma_group_parameters *parameters, const float *x,
    const float *upstream, const double *mean, const double *variance, float *dx,
    double *products, double *plain, int64_t begin, int64_t end) {
  if (groups->inner == 1) {
    OF_LEVEL(row_gradient)(
        groups, parameters, x, upstream, mean, variance, dx, products, plain, begin, end);
    return;
  }
  const norma_reductions *loops = norma_find_reductions(NORMA_F32);
  const norma_loop gradient = norma_find_loop(NORMA_NORMALIZE_GRADIENT, NORMA_F32, 60);
  const int64_t run = smaller(groups->inner, groups->length);
  for (int64_t group = begin; group < end; group++) {
    const int64_t first = group * groups->group_step;
    const double inverse = 1 / sqrt(variance[group] + parameters->eps);
    const double count = (double)(groups->pieces * groups->length);
    double centered = 0, sum = 0;
    for (int64_t piece = 0; piece < groups->pieces; piece++) {
      const int64_t start = first + piece * groups->piece_step;
      for (int64_t offset = start; offset < start + groups->length; offset += run) {
        double a = 0, b = 0;
        for (int64_t at = 0; at < run; at += NORMA_BLOCK) {
          const int64_t n = smaller(run - at, NORMA_BLOCK);
          const float *values = x + offset + at, *g = upstream + offset + at;
          double part;
          loops->centered_sum((size_t)n, values, g, mean + group, &part);
          a += part;
          loops->sum((size_t)n, g, &part);
          b += part;
        }
        products[offset / run] = inverse * a;
        plain[offset / run] = b;
        const int64_t parameter = offset / groups->inner % groups->period;
        const double weight = parameters->weight ? (double)parameters->weight[parameter] : 1;
        centered += weight * a, sum += weight * b;
      }
    }
    if (!dx) continue;
    double slope, shift;
    gradient_terms(inverse, count, centered, sum, parameters->from_zero, &slope, &shift);
    for (int64_t piece = 0; piece < groups->pieces; piece++) {
      const int64_t start = first + piece * groups->piece_step;
      for (int64_t offset = start; offset < start + groups->length; offset += run) {
        const double scale =
            parameters->weight
                ? inverse * (double)parameters->weight[offset / groups->inner % groups->period]
                : inverse;
        const void *const operands[] = {
            x + offset, upstream + offset, mean + group, &scale, &slope, &shift};
        gradient((size_t)run, operands, dx + offset);
      }
    }
  }
}

void norma_add_runs(
    double *values, int64_t count, int64_t repeats, int64_t period, float *result) {
  const int64_t runs = count / repeats;
  for (int64_t i = 0; repeats > 1 && i < runs; i++) {
    double sum = values[i * repeats];
    for (int64_t k = 1; k < repeats; k++) sum += values[i * repeats + k];
    values[i] = sum;
  }
  for (int64_t row = period; row < runs; row += period) {
    for (int64_t j = 0; j < period; j++) values[j] += values[row + j];
  }
  for (int64_t j = 0; j < period; j++) result[j] = (float)values[j];
}
