#include "searching.h"

#define SEARCH(T, s)                                                                             \
  void norma_search_##s(                                                                         \
      const norma_search *search, const T *sorted, const int64_t *sorter, const T *values,       \
      int64_t *places, int64_t begin, int64_t end) {                                             \
    for (int64_t k = begin; k < end; k++) {                                                      \
      const int64_t first = search->shared ? 0 : k / search->per_row * search->size;             \
      const T *row = sorted + first, value = values[k];                                          \
      int64_t low = value == value ? 0 : search->size, left = search->size - low;                \
      while (left > 0) {                                                                         \
        const int64_t half = left / 2, middle = low + half;                                      \
        const T element = row[sorter ? sorter[first + middle] : middle];                         \
        /* NaN is before nothing: it stands at the end. */                                       \
        const int isBefore = search->right ? element <= value : element < value;                 \
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

static int64_t searched_bin(const norma_bins *b, double value) {
  int64_t bin = 0, left = b->bins;
  while (left > 1) {
    const int64_t half = left / 2;
    if (value >= b->edges[bin + half]) bin += half;
    left -= half;
  }
  return bin;
}

// By a division in the type of the values, as in PyTorch, unless something overflows there.
#define HISTOGRAM(T, s)                                                                          \
  static int64_t divided_bin_##s(const norma_bins *b, T value) {                                 \
    const double *edges = b->edges, first = edges[0], last = edges[b->bins];                     \
    const T place = (value - (T)first) * (T)b->bins / ((T)last - (T)first);                      \
    int64_t bin = b->bins - 1;                                                                   \
    if (place < (T)b->bins) {                                                                    \
      bin = (int64_t)place;                                                                      \
    } else if (!(place <= (T)b->bins)) {                                                         \
      const double part = ((double)value / 2 - first / 2) / (last / 2 - first / 2);              \
      bin = (int64_t)(T)(part * (double)b->bins);                                                \
    }                                                                                            \
    if (bin >= b->bins) bin = b->bins - 1;                                                       \
    if (b->exact) {                                                                              \
      while (bin > 0 && (double)value < edges[bin]) bin--;                                       \
      while (bin + 1 < b->bins && (double)value >= edges[bin + 1]) bin++;                        \
    }                                                                                            \
    return bin;                                                                                  \
  }                                                                                              \
  void norma_histogram_##s(                                                                      \
      const norma_bins *b, int64_t count, const T *x, const double *weights, double *sums) {     \
    const double first = b->edges[0], last = b->edges[b->bins];                                  \
    for (int64_t i = 0; i < count; i++) {                                                        \
      const double value = (double)x[i];                                                         \
      if (!(value >= first && value <= last)) continue;                                          \
      const int64_t bin = b->uniform ? divided_bin_##s(b, x[i]) : searched_bin(b, value);        \
      sums[bin] += weights ? weights[i] : 1;                                                     \
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
