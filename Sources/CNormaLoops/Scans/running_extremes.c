#include "run_level.h"
#include "scan_parts.h"
#include "vectors.h"

// Shifts: every lane gets the element 1, 2, ... lanes before it, the first lanes their own.
#define UP1_16(v) __builtin_shufflevector(v, v, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
#define UP2_16(v) __builtin_shufflevector(v, v, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
#define UP4_16(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
#define UP8_16(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7)
#define UP1_8(v) __builtin_shufflevector(v, v, 0, 0, 1, 2, 3, 4, 5, 6)
#define UP2_8(v) __builtin_shufflevector(v, v, 0, 1, 0, 1, 2, 3, 4, 5)
#define UP4_8(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3)

#define BODY "running_extremes_body.h"
#include "each_level.h"

#define EXTREME(T, s)                                                                          \
  void norma_scan_extreme_##s(                                                                 \
      const norma_scan *scan, int largest, const T *x, T *y, int64_t *indices, int64_t begin,  \
      int64_t end) {                                                                           \
    if (largest) {                                                                             \
      OF_LEVEL(running_max_##s)(scan, x, y, indices, begin, end);                              \
    } else {                                                                                   \
      OF_LEVEL(running_min_##s)(scan, x, y, indices, begin, end);                              \
    }                                                                                          \
  }
EXTREME(float, f32)
EXTREME(double, f64)
EXTREME(int64_t, i64)
EXTREME(int32_t, i32)
EXTREME(uint8_t, u8)
