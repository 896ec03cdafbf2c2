// Loops that create tensors from a few numbers, and that keep a triangle of matrices.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// `out[i] = start + i * step` for `begin <= i < end`, rounded once; integers wrap.
void norma_arange_f64(int64_t begin, int64_t end, double start, double step, double *out);
void norma_arange_f32(int64_t begin, int64_t end, double start, double step, float *out);
void norma_arange_i64(int64_t begin, int64_t end, int64_t start, int64_t step, int64_t *out);

/// `count` evenly spaced numbers from `start` to `stop`: each half is computed from its own end.
typedef struct {
  double start, stop;
  int64_t count;
} norma_line;

void norma_linspace_f64(const norma_line *line, int64_t begin, int64_t end, double *out);
void norma_linspace_f32(const norma_line *line, int64_t begin, int64_t end, float *out);
/// `base` to the power of these numbers.
void norma_logspace_f64(
    const norma_line *line, double base, int64_t begin, int64_t end, double *out);

/// Copies rows `begin ..< end` of consecutive matrices of `rows x columns` elements of `width`
/// bytes: elements on and below the diagonal, or on and above it, and zeros elsewhere. The diagonal
/// is shifted `diagonal` columns to the right.
void norma_triangle(
    int width, int64_t rows, int64_t columns, int64_t diagonal, int upper, const void *from,
    void *to, int64_t begin, int64_t end);

#pragma clang assume_nonnull end
