#include <math.h>

#include "run_type.h"
#include "scan_parts.h"

#pragma clang fp contract(off)

int64_t norma_scan_units(const norma_scan *scan, int64_t outer) { return outer * strips(scan); }

// log(e^x + ...) as `high` + log(sum), which neither overflows nor loses digits.
static void add_exp(double *high, double *sum, double x) {
  if (x > *high) {
    *sum = *sum * exp(*high - x) + 1;
    *high = x;
  } else if (x == *high) {
    *sum += 1;
  } else if (x < *high) {
    *sum += exp(x - *high);
  } else {
    *high = *sum = NAN;
  }
}

#define LOOP(A, START, NEXT, RESULT)                          \
  do {                                                        \
    A s[STRIP];                                               \
    for (int64_t j = 0; j < p.width; j++) s[j] = START;       \
    int64_t at = p.first;                                     \
    if (p.width == 1) {                                       \
      A c = START;                                            \
      for (int64_t i = 0; i < scan->size; i++, at += p.step) { \
        const int64_t k = at;                                 \
        NEXT;                                                 \
        y[k] = RESULT;                                        \
      }                                                       \
    } else {                                                  \
      for (int64_t i = 0; i < scan->size; i++, at += p.step) { \
        for (int64_t j = 0; j < p.width; j++) {               \
          const int64_t k = at + j;                           \
          A c = s[j];                                         \
          NEXT;                                               \
          s[j] = c;                                           \
          y[k] = RESULT;                                      \
        }                                                     \
      }                                                       \
    }                                                         \
  } while (0)

typedef struct {
  double high, sum;
} logarithm;

#define REAL(T, s)                                                                             \
  static void scan_##s(                                                                        \
      const norma_scan *scan, const T *restrict x, const T *restrict factor, T *restrict y,    \
      int64_t begin, int64_t end) {                                                            \
    for (int64_t unit = begin; unit < end; unit++) {                                           \
      const part p = part_of(scan, unit);                                                      \
      switch (scan->kind) {                                                                    \
        case NORMA_SCAN_SUM: LOOP(double, 0, c += (double)x[k], (T)c); break;                  \
        case NORMA_SCAN_PRODUCT: LOOP(double, 1, c *= (double)x[k], (T)c); break;              \
        case NORMA_SCAN_LOG_SUM_EXP:                                                           \
          LOOP(logarithm, ((logarithm){-INFINITY, 0}), add_exp(&c.high, &c.sum, (double)x[k]), \
               (T)(isinf(c.high) ? c.high : c.high + log(c.sum)));                             \
          break;                                                                               \
        default:                                                                               \
          /* The first factor has nothing to multiply, even where it is infinite. */           \
          LOOP(double, 0, c = i ? (double)x[k] + (double)factor[k] * c : (double)x[k], (T)c);  \
      }                                                                                        \
    }                                                                                          \
  }
REAL(float, f32)
REAL(double, f64)

static void scan_i64(
    const norma_scan *scan, const int64_t *restrict x, int64_t *restrict y, int64_t begin,
    int64_t end) {
  for (int64_t unit = begin; unit < end; unit++) {
    const part p = part_of(scan, unit);
    if (scan->kind == NORMA_SCAN_SUM) LOOP(uint64_t, 0, c += (uint64_t)x[k], (int64_t)c);
    else LOOP(uint64_t, 1, c *= (uint64_t)x[k], (int64_t)c);
  }
}

void norma_run_scan(
    int type, const norma_scan *scan, const void *x, const void *factor, void *y, int64_t begin,
    int64_t end) {
  if (type == NORMA_I64) scan_i64(scan, x, y, begin, end);
  else OF_REAL(ALL_LEVELS, scan, type, (scan, x, factor, y, begin, end));
}
