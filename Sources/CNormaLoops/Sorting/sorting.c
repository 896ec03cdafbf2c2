#include "sorting.h"

#include <string.h>

#include "run_type.h"
#include "sort_elements.h"

#define NAME(x) JOIN(x, SORTED)

#define SORTED words
#define E uint64_t
#define BYTES 4
#define KEY_BYTE(e, k) (((e) >> (32 + 8 * (k))) & 255)
#define PRECEDES(a, b) ((a) < (b))
#include "sort_body.h"
#undef SORTED
#undef E
#undef BYTES
#undef KEY_BYTE
#undef PRECEDES

#define SORTED pairs
#define E norma_pair
#define BYTES 8
#define KEY_BYTE(e, k) (((e).key >> (8 * (k))) & 255)
#define PRECEDES(a, b) ((a).key < (b).key)
#include "sort_body.h"
#undef SORTED
#undef E
#undef BYTES
#undef KEY_BYTE
#undef PRECEDES
#undef NAME

int64_t norma_sort_scratch(int64_t width, int64_t size) {
  return (size + 4096) * 2 * (width > 4 ? (int64_t)sizeof(norma_pair) : 8);
}

#define NAME(x) JOIN(x, TYPE)
#define TYPED_BODY "sorting_body.h"
#include "each_sorted.h"

void norma_sort_rows(
    int type, const norma_order *order, const void *x, void *values, int64_t *indices,
    void *scratch, int64_t begin, int64_t end) {
  if (order->wanted > 0 && order->wanted <= order->size / 2) {
    norma_first_of_rows(type, order, x, values, indices, scratch, begin, end);
  } else {
    OF_TYPE(ALL_LEVELS, sort_rows, type, (order, x, values, indices, scratch, begin, end));
  }
}

void norma_mode_rows(
    int type, int64_t size, const void *x, void *values, int64_t *indices, void *scratch,
    int64_t begin, int64_t end) {
  OF_TYPE(ALL_LEVELS, mode_rows, type, (size, x, values, indices, scratch, begin, end));
}

int64_t norma_runs(
    int type, int64_t count, void *sorted, const int64_t *indices, int64_t *inverse,
    int64_t *counts) {
  return OF_TYPE(ALL_LEVELS, runs, type, (count, sorted, indices, inverse, counts));
}

void norma_order_slices(
    int type, int64_t count, int64_t width, const void *x, int64_t *order, int64_t *spare) {
  OF_TYPE(ALL_LEVELS, order_slices, type, (count, width, x, order, spare));
}

int64_t norma_slice_runs(
    int type, int64_t count, int64_t width, const void *x, int64_t *order, int64_t *inverse,
    int64_t *counts) {
  return OF_TYPE(ALL_LEVELS, slice_runs, type, (count, width, x, order, inverse, counts));
}
