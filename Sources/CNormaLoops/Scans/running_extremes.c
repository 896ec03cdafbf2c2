#include "run_type.h"
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

void norma_scan_extreme(
    int type, const norma_scan *scan, int largest, const void *x, void *y, int64_t *indices,
    int64_t begin, int64_t end) {
  if (largest) OF_TYPE(OF_LEVEL, running_max, type, (scan, x, y, indices, begin, end));
  else OF_TYPE(OF_LEVEL, running_min, type, (scan, x, y, indices, begin, end));
}
