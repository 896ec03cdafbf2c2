#include "searching.h"

#include "run_type.h"

// This many values are looked up together, so that their steps overlap.
enum { EIGHT = 8 };

// Hides a number from the compiler, which would compile a comparison to a branch that random values
// mispredict.
#define HIDE(number) __asm__("" : "+r"(number))

// Halves the remaining range of N searches, without a branch.
#define FIND(N, ELEMENT, COMPARE)                                                                \
  do {                                                                                           \
    int64_t left = size;                                                                         \
    while (left > 1) {                                                                           \
      const int64_t half = left / 2;                                                             \
      for (int j = 0; j < N; j++) {                                                              \
        const int64_t middle = low[j] + half - 1;                                                \
        int64_t comes = ELEMENT COMPARE value[j];                                                \
        HIDE(comes);                                                                             \
        low[j] += half & -comes;                                                                 \
      }                                                                                          \
      left -= half;                                                                              \
    }                                                                                            \
    for (int j = 0; left == 1 && j < N; j++) {                                                   \
      const int64_t middle = low[j];                                                             \
      low[j] += ELEMENT COMPARE value[j];                                                        \
    }                                                                                            \
  } while (0)

#define FIND_ALL(N)                                                                              \
  do {                                                                                           \
    if (order && right) FIND(N, row[order[middle]], <=);                                         \
    else if (order) FIND(N, row[order[middle]], <);                                              \
    else if (right) FIND(N, row[middle], <=);                                                    \
    else FIND(N, row[middle], <);                                                                \
  } while (0)

// NaN is at the end of a row, after all numbers: a NaN is inserted before that, or at the end for
// `right`.
#define SEARCH(T, s)                                                                             \
  /* How many elements of a row are before its first NaN. */                                     \
  static int64_t numbers_##s(const T *row, const int64_t *order, int64_t size) {                 \
    int64_t low = 0, high = size;                                                                \
    while (low < high) {                                                                         \
      const int64_t middle = low + (high - low) / 2;                                             \
      const T element = row[order ? order[middle] : middle];                                     \
      if (element == element) low = middle + 1;                                                  \
      else high = middle;                                                                        \
    }                                                                                            \
    return low;                                                                                  \
  }                                                                                              \
  static void search_##s(                                                                        \
      const norma_search *search, const T *sorted, const int64_t *sorter, const T *values,       \
      int64_t *indices, int64_t begin, int64_t end) {                                            \
    const int64_t size = search->size, per_row = search->per_row;                                \
    const int right = search->right;                                                             \
    for (int64_t k = begin; k < end;) {                                                          \
      const int64_t number = search->shared ? 0 : k / per_row, first = number * size;            \
      const int64_t rest = search->shared ? end : (number + 1) * per_row;                        \
      const int64_t stop = rest < end ? rest : end;                                              \
      const T *row = sorted + first;                                                             \
      const int64_t *order = sorter ? sorter + first : sorter;                                   \
      while (k < stop) {                                                                         \
        const T *value = values + k;                                                             \
        int64_t low[EIGHT] = {0};                                                                \
        const int count = stop - k < EIGHT ? 1 : EIGHT;                                          \
        if (count == 1) FIND_ALL(1);                                                             \
        else FIND_ALL(EIGHT);                                                                    \
        for (int j = 0; j < count; j++)                                                          \
          indices[k + j] = value[j] == value[j] ? low[j]                                         \
                        : right ? size : numbers_##s(row, order, size);                          \
        k += count;                                                                              \
      }                                                                                          \
    }                                                                                            \
  }
SEARCH(float, f32)
SEARCH(double, f64)
SEARCH(int64_t, i64)
SEARCH(int32_t, i32)
SEARCH(uint8_t, u8)

void norma_run_search(
    int type, const norma_search *search, const void *sorted, const int64_t *sorter,
    const void *values, int64_t *indices, int64_t begin, int64_t end) {
  OF_TYPE(ALL_LEVELS, search, type, (search, sorted, sorter, values, indices, begin, end));
}

// The bin is computed by a division in the type of the values, as in PyTorch, unless that
// overflows.
#define HISTOGRAM(T, s)                                                                          \
  static int64_t divided_bin_##s(                                                                \
      T value, const double *edges, int64_t bins, double first, double last, int exact) {        \
    const T index = (value - (T)first) * (T)bins / ((T)last - (T)first);                         \
    int64_t bin = bins - 1;                                                                      \
    if (index < (T)bins) {                                                                       \
      bin = (int64_t)index;                                                                      \
    } else if (!(index <= (T)bins)) {                                                            \
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
  static void histogram_##s(                                                                     \
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

void norma_histogram(
    int type, const norma_bins *bins, int64_t count, const void *x, const double *weights,
    double *sums) {
  OF_REAL(ALL_LEVELS, histogram, type, (bins, count, x, weights, sums));
}
