#include "creation.h"

#include <math.h>
#include <string.h>

#include "vectors.h"

#pragma clang fp contract(off)

// `from + i * step`, eight at a time; the indices are counted in doubles, which represent them
// exactly.
#define RAMP(NAME, T, V)                                                                       \
  void NAME(int64_t begin, int64_t end, double from, double step, T *out) {                    \
    f64v k = (f64v){0, 1, 2, 3, 4, 5, 6, 7} + (double)begin;                                   \
    int64_t i = begin;                                                                         \
    for (; i + 8 <= end; i += 8, k += 8) {                                                     \
      STORE(V, out + i, __builtin_convertvector(from + k * step, V));                          \
    }                                                                                          \
    for (; i < end; i++) out[i] = (T)(from + (double)i * step);                                \
  }
RAMP(norma_arange_f64, double, f64v)
RAMP(norma_arange_f32, float, f32h)

void norma_arange_i64(int64_t begin, int64_t end, int64_t start, int64_t step, int64_t *out) {
  // Computed by additions, not by a product each: 64-bit vectors add faster than they multiply.
  uint64_t value = (uint64_t)start + (uint64_t)begin * (uint64_t)step;
  for (int64_t i = begin; i < end; i++, value += (uint64_t)step) out[i] = (int64_t)value;
}

static double step_of(const norma_line *line) {
  return line->count > 1 ? (line->stop - line->start) / (double)(line->count - 1) : 0;
}

// The index from which numbers are computed from the stop.
static int64_t middle_of(const norma_line *line) {
  return line->count == 1 ? 1 : line->count / 2;
}

static double value_at(const norma_line *line, double step, int64_t i) {
  return i < middle_of(line) ? line->start + (double)i * step
                             : line->stop - (double)(line->count - 1 - i) * step;
}

// The second half: `stop - (last - i) * step`.
#define FALL(NAME, T, V)                                                                       \
  static void NAME(int64_t begin, int64_t end, double stop, double step, int64_t last, T *out) {\
    f64v k = (double)(last - begin) - (f64v){0, 1, 2, 3, 4, 5, 6, 7};                          \
    int64_t i = begin;                                                                         \
    for (; i + 8 <= end; i += 8, k -= 8) {                                                     \
      STORE(V, out + i, __builtin_convertvector(stop - k * step, V));                          \
    }                                                                                          \
    for (; i < end; i++) out[i] = (T)(stop - (double)(last - i) * step);                       \
  }
FALL(fall_f64, double, f64v)
FALL(fall_f32, float, f32h)

#define LINSPACE(NAME, T)                                                                      \
  void norma_linspace_##NAME(const norma_line *line, int64_t begin, int64_t end, T *out) {     \
    const double step = step_of(line);                                                         \
    const int64_t middle = middle_of(line);                                                    \
    const int64_t turn = middle < begin ? begin : middle < end ? middle : end;                 \
    norma_arange_##NAME(begin, turn, line->start, step, out);                                  \
    fall_##NAME(turn, end, line->stop, step, line->count - 1, out);                            \
  }
LINSPACE(f64, double)
LINSPACE(f32, float)

void norma_logspace_f64(
    const norma_line *line, double base, int64_t begin, int64_t end, double *out) {
  const double step = step_of(line);
  for (int64_t i = begin; i < end; i++) out[i] = pow(base, value_at(line, step, i));
}

void norma_triangle(
    int width, int64_t rows, int64_t columns, int64_t diagonal, int upper, const void *from,
    void *to, int64_t begin, int64_t end) {
  const size_t bytes = (size_t)(columns * width);
  for (int64_t row = begin; row < end; row++) {
    // The first column that is above the diagonal, or on it for the upper triangle.
    int64_t first = row % rows + diagonal + !upper;
    first = first < 0 ? 0 : first > columns ? columns : first;
    const size_t at = (size_t)(first * width);
    const char *source = (const char *)from + (size_t)row * bytes;
    char *target = (char *)to + (size_t)row * bytes;
    if (upper) {
      memset(target, 0, at);
      memcpy(target + at, source + at, bytes - at);
    } else {
      memcpy(target, source, at);
      memset(target + at, 0, bytes - at);
    }
  }
}
