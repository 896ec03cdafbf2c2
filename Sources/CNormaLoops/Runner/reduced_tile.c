#include "reduced_tile.h"

#include <string.h>

#pragma clang fp contract(off)

size_t norma_result_width(int kind, int type) {
  switch (kind) {
    case NORMA_SUM:
    case NORMA_CENTERED_SUM:
    case NORMA_PRODUCT:
    case NORMA_MOMENTS:
    case NORMA_WEIGHTED_MOMENTS: return 8;
    default: return type == NORMA_U8 ? 1 : type == NORMA_F32 || type == NORMA_I32 ? 4 : 8;
  }
}

// For real numbers or for integers, which wrap.
static void multiply(int type, size_t count, void *products, const void *from) {
  if (type <= NORMA_F64) {
    for (size_t j = 0; j < count; j++) ((double *)products)[j] *= ((const double *)from)[j];
  } else {
    for (size_t j = 0; j < count; j++) ((uint64_t *)products)[j] *= ((const uint64_t *)from)[j];
  }
}

static void add(int type, size_t count, void *sums, const void *from) {
  if (type <= NORMA_F64) {
    for (size_t j = 0; j < count; j++) ((double *)sums)[j] += ((const double *)from)[j];
  } else {
    for (size_t j = 0; j < count; j++) ((uint64_t *)sums)[j] += ((const uint64_t *)from)[j];
  }
}

static void merge_weighted(
    size_t count, double *means, double *m2, double *weights, const double *more,
    const double *more_m2, const double *more_weights) {
  for (size_t j = 0; j < count; j++) {
    const double a = weights[j], b = more_weights[j], distance = more[j] - means[j];
    if (b == 0) continue;
    weights[j] = a + b;
    if (a == 0) {
      means[j] = more[j], m2[j] = more_m2[j];
    } else {
      const double share = b / (a + b);
      means[j] += distance * share, m2[j] += more_m2[j] + distance * distance * (a * share);
    }
  }
}

void norma_merge_results(
    int kind, int type, size_t count, void *results, double *m2, double *lost, double values,
    const void *more, const double *more_m2, const double *more_lost, double more_values) {
  switch (kind) {
    case NORMA_SUM:
    case NORMA_CENTERED_SUM: add(type, count, results, more); break;
    case NORMA_PRODUCT: multiply(type, count, results, more); break;
    case NORMA_MOMENTS:
      norma_merge_moments(
          count, values, results, m2, lost, more_values, more, more_m2, more_lost);
      break;
    case NORMA_WEIGHTED_MOMENTS:
      merge_weighted(count, results, m2, lost, more, more_m2, more_lost);
      break;
    case NORMA_REDUCE_MINIMUM:
      norma_find_reductions(type)->column_minimum(1, count, 0, more, results);
      break;
    default: norma_find_reductions(type)->column_maximum(1, count, 0, more, results);
  }
}

void norma_reduce_tile(
    const norma_reduced_tile *t, void *result, double *m2, double *lost, ptrdiff_t seen) {
  const norma_reductions *loops = t->loops;
  const size_t outputs = t->by_column ? t->columns : 1, rows = t->rows;
  const size_t n = t->by_column ? rows : rows * t->columns;
  double first[NORMA_BLOCK], squares[NORMA_BLOCK], rest[NORMA_BLOCK];
  // The first tile is written directly to the results.
  double *const sums = seen ? first : result;
  double *const m2s = seen ? squares : m2, *const losts = seen || !lost ? rest : lost;
  switch (t->kind) {
    case NORMA_SUM:
      if (t->by_column) loops->column_sum(rows, outputs, t->pitch, t->values, sums);
      else loops->sum(n, t->values, sums);
      break;
    case NORMA_CENTERED_SUM:
      if (t->by_column) {
        loops->column_centered_sum(
            rows, outputs, t->pitch, t->values, t->companion_pitch, t->companion, t->center, sums);
      } else {
        loops->centered_sum(n, t->values, t->companion, t->center, sums);
      }
      break;
    case NORMA_PRODUCT:
      if (t->by_column) loops->column_product(rows, outputs, t->pitch, t->values, sums);
      else loops->product(n, t->values, sums);
      break;
    case NORMA_MOMENTS:
      if (t->by_column) {
        loops->column_moments(rows, outputs, t->pitch, t->values, sums, m2s, losts);
      } else {
        loops->moments(n, t->values, sums, m2s, losts);
      }
      break;
    case NORMA_WEIGHTED_MOMENTS:
      if (t->by_column) {
        loops->column_weighted(
            rows, outputs, t->pitch, t->values, t->companion_pitch, t->companion, sums, m2s, losts);
      } else {
        loops->weighted(n, t->values, t->companion, sums, m2s, losts);
      }
      break;
    default: {
      const int least = t->kind == NORMA_REDUCE_MINIMUM;
      if (!seen) memcpy(result, t->values, outputs * norma_result_width(t->kind, t->type));
      if (t->by_column) {
        (least ? loops->column_minimum : loops->column_maximum)(
            rows, outputs, t->pitch, t->values, result);
      } else {
        (least ? loops->minimum : loops->maximum)(n, t->values, result);
      }
      return;
    }
  }
  if (seen) {
    norma_merge_results(
        t->kind, t->type, outputs, result, m2, lost, (double)seen, sums, m2s, losts, (double)n);
  }
}
