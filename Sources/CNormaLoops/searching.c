#include "searching.h"

// Halves what is left without a branch. NaN is before nothing: it stands at the end.
#define FIND(ELEMENT, COMPARE)                  \
  do {                                          \
    while (left > 1) {                          \
      const int64_t half = left / 2;            \
      const int64_t middle = low + half - 1;    \
      low += ELEMENT COMPARE value ? half : 0;  \
      left -= half;                             \
    }                                           \
    if (left == 1) {                            \
      const int64_t middle = low;               \
      low += ELEMENT COMPARE value;             \
    }                                           \
  } while (0)

#define SEARCH(T, s)                                                                             \
  void norma_search_##s(                                                                         \
      const norma_search *search, const T *sorted, const int64_t *sorter, const T *values,       \
      int64_t *places, int64_t begin, int64_t end) {                                             \
    const int64_t size = search->size, per_row = search->per_row;                                \
    const int shared = search->shared, right = search->right;                                    \
    for (int64_t k = begin; k < end; k++) {                                                      \
      const int64_t first = shared ? 0 : k / per_row * size;                                     \
      const T *row = sorted + first, value = values[k];                                          \
      const int64_t *order = sorter ? sorter + first : sorter;                                   \
      int64_t low = value == value ? 0 : size, left = size - low;                                \
      if (order && right) FIND(row[order[middle]], <=);                                          \
      else if (order) FIND(row[order[middle]], <);                                               \
      else if (right) FIND(row[middle], <=);                                                     \
      else FIND(row[middle], <);                                                                 \
      places[k] = low;                                                                           \
    }                                                                                            \
  }
SEARCH(float, f32)
SEARCH(double, f64)
SEARCH(int64_t, i64)
SEARCH(int32_t, i32)
SEARCH(uint8_t, u8)

// Bins of equal width come from a division in the type of the values, as in PyTorch, unless
// something overflows there.
#define HISTOGRAM(T, s)                                                                          \
  static int64_t divided_bin_##s(                                                                \
      T value, const double *edges, int64_t bins, double first, double last, int exact) {        \
    const T place = (value - (T)first) * (T)bins / ((T)last - (T)first);                         \
    int64_t bin = bins - 1;                                                                      \
    if (place < (T)bins) {                                                                       \
      bin = (int64_t)place;                                                                      \
    } else if (!(place <= (T)bins)) {                                                            \
      const double part = ((double)value / 2 - first / 2) / (last / 2 - first / 2);              \
      bin = (int64_t)(T)(part * (double)bins);                                                   \
    }                                                                                            \
    if (bin >= bins) bin = bins - 1;                                                             \
    if (exact) {                                                                                 \
      while (bin > 0 && (double)value < edges[bin]) bin--;                                       \
      while (bin + 1 < bins && (double)value >= edges[bin + 1]) bin++;                           \
    }                                                                                            \
    return bin;                                                                                  \
  }                                                                                              \
  static int64_t searched_bin_##s(T number, const double *edges, int64_t bins) {                 \
    const double value = (double)number;                                                         \
    int64_t low = 0, left = bins;                                                                \
    while (left > 1) {                                                                           \
      const int64_t half = left / 2;                                                             \
      low += value >= edges[low + half] ? half : 0;                                              \
      left -= half;                                                                              \
    }                                                                                            \
    return low;                                                                                  \
  }                                                                                              \
  void norma_histogram_##s(                                                                      \
      const norma_bins *b, int64_t count, const T *restrict x, const double *restrict weights,   \
      double *restrict sums) {                                                                   \
    const int64_t bins = b->bins;                                                                \
    const double *restrict edges = b->edges;                                                     \
    const double first = edges[0], last = edges[bins];                                           \
    const int uniform = b->uniform, exact = b->exact;                                            \
    for (int64_t i = 0; i < count; i++) {                                                        \
      const T value = x[i];                                                                      \
      if (!((double)value >= first && (double)value <= last)) continue;                          \
      const int64_t bin = uniform ? divided_bin_##s(value, edges, bins, first, last, exact)      \
                                  : searched_bin_##s(value, edges, bins);                        \
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
