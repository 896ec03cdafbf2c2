#include "creation.h"

#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

void norma_arange_f64(int64_t begin, int64_t end, double start, double step, double *out) {
  for (int64_t i = begin; i < end; i++) out[i] = start + (double)i * step;
}

void norma_arange_f32(int64_t begin, int64_t end, double start, double step, float *out) {
  for (int64_t i = begin; i < end; i++) out[i] = (float)(start + (double)i * step);
}

void norma_arange_i64(int64_t begin, int64_t end, int64_t start, int64_t step, int64_t *out) {
  for (int64_t i = begin; i < end; i++) {
    out[i] = (int64_t)((uint64_t)start + (uint64_t)i * (uint64_t)step);
  }
}

static double step_of(const norma_line *line) {
  return line->count > 1 ? (line->stop - line->start) / (double)(line->count - 1) : 0;
}

static double place(const norma_line *line, double step, int64_t i) {
  return i < line->count / 2 || line->count == 1
             ? line->start + (double)i * step
             : line->stop - (double)(line->count - 1 - i) * step;
}

void norma_linspace_f64(const norma_line *line, int64_t begin, int64_t end, double *out) {
  const double step = step_of(line);
  for (int64_t i = begin; i < end; i++) out[i] = place(line, step, i);
}

void norma_linspace_f32(const norma_line *line, int64_t begin, int64_t end, float *out) {
  const double step = step_of(line);
  for (int64_t i = begin; i < end; i++) out[i] = (float)place(line, step, i);
}

void norma_logspace_f64(
    const norma_line *line, double base, int64_t begin, int64_t end, double *out) {
  const double step = step_of(line);
  for (int64_t i = begin; i < end; i++) out[i] = pow(base, place(line, step, i));
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
