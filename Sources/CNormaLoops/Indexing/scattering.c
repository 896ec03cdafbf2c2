#include "indexing.h"

#include <string.h>

#include "loops.h"
#include "run_level.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define BODY "scattering_body.h"
#include "each_level.h"

int64_t norma_scatter_blocks(
    const norma_indices *p, int reduction, const int64_t *index, const float *narrow,
    const float *start, float *wide, double *room, int64_t blocks, int64_t begin,
    int64_t end) {
  return OF_LEVEL(scatter_blocks)(
      p, reduction, index, narrow, start, wide, room, blocks, begin, end);
}

int64_t norma_sort_indices(
    const norma_indices *p, const int64_t *index, int64_t *starts, int64_t *order) {
  const int64_t step = p->index[1], around = p->wraps ? p->size : 0;
  // A counting sort: the start of an index is found at the entry before it, which ends up there.
  memset(starts, 0, (size_t)(p->size + 2) * sizeof *starts);
  for (int64_t k = 0; k < p->count; k++) {
    const int64_t position = index[k * step] + ((index[k * step] >> 63) & around);
    if ((uint64_t)position >= (uint64_t)p->size) return k;
    starts[position + 2]++;
  }
  for (int64_t t = 0; t < p->size; t++) starts[t + 2] += starts[t + 1];
  for (int64_t k = 0; k < p->count; k++) {
    const int64_t position = index[k * step] + ((index[k * step] >> 63) & around);
    order[starts[position + 1]++] = k;
  }
  return NORMA_ALL_INSIDE;
}

void norma_scatter_sorted(
    const norma_indices *p, int reduction, const int64_t *starts, const int64_t *order,
    const float *narrow, const float *start, float *wide, int64_t begin, int64_t end) {
  OF_LEVEL(scatter_sorted)(p, reduction, starts, order, narrow, start, wide, begin, end);
}
