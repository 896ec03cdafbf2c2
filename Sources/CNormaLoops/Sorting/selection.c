#include "sorting.h"

#include <math.h>

#include "run_level.h"
#include "sort_elements.h"
#include "vectors.h"

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)

#define BODY "selection_body.h"
#include "each_level.h"

#define SELECTION(T, s)                                                                         \
  void norma_first_of_rows_##s(                                                                 \
      const norma_order *order, const T *x, T *values, int64_t *indices, void *scratch,         \
      int64_t begin, int64_t end) {                                                             \
    OF_LEVEL(first_of_rows_##s)(order, x, values, indices, scratch, begin, end);                \
  }                                                                                             \
  void norma_select_rows_##s(                                                                   \
      const norma_ranks *ranks, const T *x, T *low, int64_t *low_indices, T *high,              \
      int64_t *high_indices, double *weights, void *scratch, int64_t begin, int64_t end) {      \
    OF_LEVEL(select_rows_##s)(ranks, x, low, low_indices, high, high_indices, weights, scratch, \
        begin, end);                                                                            \
  }
SELECTION(float, f32)
SELECTION(double, f64)
SELECTION(int64_t, i64)
SELECTION(int32_t, i32)
SELECTION(uint8_t, u8)
