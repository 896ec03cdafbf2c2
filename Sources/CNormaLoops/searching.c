#include "searching.h"

#define SEARCH(T, s)                                                                             \
  void norma_search_##s(                                                                         \
      const norma_search *search, const T *sorted, const int64_t *sorter, const T *values,       \
      int64_t *places, int64_t begin, int64_t end) {                                             \
    for (int64_t k = begin; k < end; k++) {                                                      \
      const int64_t first = search->shared ? 0 : k / search->per_row * search->size;             \
      const T *row = sorted + first, value = values[k];                                          \
      int64_t low = 0, left = search->size;                                                      \
      while (left > 0) {                                                                         \
        const int64_t half = left / 2, middle = low + half;                                      \
        const T element = row[sorter ? sorter[first + middle] : middle];                         \
        /* Written so that NaN stands at the end. */                                             \
        const int isBefore = search->right ? !(element > value) : !(element >= value);           \
        low = isBefore ? middle + 1 : low;                                                       \
        left = isBefore ? left - half - 1 : half;                                                \
      }                                                                                          \
      places[k] = low;                                                                           \
    }                                                                                            \
  }
SEARCH(float, f32)
SEARCH(double, f64)
SEARCH(int64_t, i64)
SEARCH(int32_t, i32)
SEARCH(uint8_t, u8)

static int64_t bin_of(const norma_bins *b, double value) {
  const double *edges = b->edges, first = edges[0], last = edges[b->bins];
  int64_t bin = 0;
  if (!b->uniform) {
    int64_t left = b->bins;
    while (left > 1) {
      const int64_t half = left / 2;
      if (value >= edges[bin + half]) bin += half;
      left -= half;
    }
    return bin;
  }
  bin = (int64_t)((value - first) * (double)b->bins / (last - first));
  if (bin >= b->bins) bin = b->bins - 1;
  if (b->exact) {
    while (bin > 0 && value < edges[bin]) bin--;
    while (bin + 1 < b->bins && value >= edges[bin + 1]) bin++;
  }
  return bin;
}

#define HISTOGRAM(T, s)                                                                          \
  void norma_histogram_##s(                                                                      \
      const norma_bins *b, int64_t count, const T *x, const double *weights, double *sums) {     \
    const double first = b->edges[0], last = b->edges[b->bins];                                  \
    for (int64_t i = 0; i < count; i++) {                                                        \
      const double value = (double)x[i];                                                         \
      if (!(value >= first && value <= last)) continue;                                          \
      sums[bin_of(b, value)] += weights ? weights[i] : 1;                                        \
    }                                                                                            \
  }
HISTOGRAM(float, f32)
HISTOGRAM(double, f64)

void norma_count_numbers(int64_t count, const int64_t *x, int64_t *counts) {
  for (int64_t i = 0; i < count; i++) counts[x[i]]++;
}

void norma_add_weights(int64_t count, const int64_t *x, const double *weights, double *sums) {
  for (int64_t i = 0; i < count; i++) sums[x[i]] += weights[i];
}
