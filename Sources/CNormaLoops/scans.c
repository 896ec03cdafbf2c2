#include "scans.h"

#include <math.h>

#pragma clang fp contract(off)

// A strip of chains that lie beside each other: its rows are read as they lie in memory.
enum { STRIP = 512 };

static int64_t strips(const norma_scan *scan) { return (scan->inner + STRIP - 1) / STRIP; }

int64_t norma_scan_units(const norma_scan *scan, int64_t outer) { return outer * strips(scan); }

// Where a unit's chains begin, how many there are, and the way from one element to the next.
typedef struct {
  int64_t first, width, step;
} part;

static part part_of(const norma_scan *scan, int64_t unit) {
  const int64_t count = strips(scan), strip = unit % count, inner = scan->inner;
  part p = {unit / count * scan->size * inner + strip * STRIP, STRIP, inner};
  if (inner - strip * STRIP < STRIP) p.width = inner - strip * STRIP;
  if (scan->backwards) {
    p.first += (scan->size - 1) * inner;
    p.step = -inner;
  }
  return p;
}

// log(e^x + ...) as `high` + log(sum): no sum overflows, and none of it is lost.
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
  void norma_scan_##s(                                                                         \
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

void norma_scan_i64(
    const norma_scan *scan, const int64_t *restrict x, const int64_t *restrict factor,
    int64_t *restrict y, int64_t begin, int64_t end) {
  (void)factor;
  for (int64_t unit = begin; unit < end; unit++) {
    const part p = part_of(scan, unit);
    if (scan->kind == NORMA_SCAN_SUM) LOOP(uint64_t, 0, c += (uint64_t)x[k], (int64_t)c);
    else LOOP(uint64_t, 1, c *= (uint64_t)x[k], (int64_t)c);
  }
}

#define EXTREME(T, s)                                                                          \
  void norma_scan_extreme_##s(                                                                 \
      const norma_scan *scan, int largest, const T *restrict x, T *restrict y,                 \
      int64_t *restrict places, int64_t begin, int64_t end) {                                  \
    for (int64_t unit = begin; unit < end; unit++) {                                           \
      const part p = part_of(scan, unit);                                                      \
      int64_t at = p.first;                                                                    \
      for (int64_t j = 0; scan->size > 0 && j < p.width; j++) {                                \
        y[at + j] = x[at + j];                                                                 \
        places[at + j] = 0;                                                                    \
      }                                                                                        \
      for (int64_t i = 1; i < scan->size; i++) {                                               \
        const T *best = y + at;                                                                \
        const int64_t *before = places + at;                                                   \
        at += p.step;                                                                          \
        for (int64_t j = 0; j < p.width; j++) {                                                \
          const T a = x[at + j], b = best[j];                                                  \
          const int replaces = a != a || (b == b && (largest ? a >= b : a <= b));              \
          y[at + j] = replaces ? a : b;                                                        \
          places[at + j] = replaces ? i : before[j];                                           \
        }                                                                                      \
      }                                                                                        \
    }                                                                                          \
  }
EXTREME(float, f32)
EXTREME(double, f64)
EXTREME(int64_t, i64)
EXTREME(int32_t, i32)
EXTREME(uint8_t, u8)
