#include "row_reductions.h"

#include <string.h>

#include "loops.h"

static size_t width_of(int type) {
  return type == NORMA_U8 ? 1 : type == NORMA_F32 || type == NORMA_I32 ? 4 : 8;
}

void norma_reduce_rows(
    const norma_row_reductions *rows, const void *values, int64_t begin, int64_t end) {
  const norma_reductions *loops = norma_find_reductions(rows->type);
  const size_t n = (size_t)rows->columns, width = width_of(rows->type);
  for (int64_t row = begin; row < end; row++) {
    const char *from = (const char *)values + (size_t)row * n * width;
    char *sum = rows->sums ? (char *)rows->sums + row * 8 : NULL;
    if (rows->squares) {
      double lost;
      loops->moments(n, from, (double *)(void *)sum, rows->squares + row, &lost);
    } else if (sum) {
      loops->sum(n, from, sum);
    }
    if (rows->products) loops->product(n, from, (char *)rows->products + row * 8);
    if (rows->minimum) {
      char *best = (char *)rows->minimum + (size_t)row * width;
      memcpy(best, from, width);
      loops->minimum(n, from, best);
    }
    if (rows->maximum) {
      char *best = (char *)rows->maximum + (size_t)row * width;
      memcpy(best, from, width);
      loops->maximum(n, from, best);
    }
  }
}
