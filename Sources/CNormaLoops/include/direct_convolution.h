// Convolution of small tensors by its definition, summed in double.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// The sizes of a convolution over three spatial axes; the first ones may be 1.
///
/// Source `[batch, groups * inputs, source]`, weights `[groups * outputs, inputs, kernel]` and
/// destination `[batch, groups * outputs, destination]` are row-major and dense. Result i along an
/// axis uses the source elements `i * stride - before + k * dilation`, if they exist.
typedef struct {
  int64_t batch, groups, inputs, outputs;
  int64_t source[3], destination[3], kernel[3], stride[3], dilation[3], before[3];
} norma_convolution;

/// Each computes one operand from the other two. `row` is scratch for the longest row of the
/// result.
void norma_convolution_forward_f32(
    const norma_convolution *shape, const float *source, const float *weights,
    const float *_Nullable bias, float *destination, double *row);
void norma_convolution_forward_f64(
    const norma_convolution *shape, const double *source, const double *weights,
    const double *_Nullable bias, double *destination, double *row);
void norma_convolution_source_f32(
    const norma_convolution *shape, float *source, const float *weights, const float *destination,
    double *row);
void norma_convolution_source_f64(
    const norma_convolution *shape, double *source, const double *weights,
    const double *destination, double *row);
void norma_convolution_weights_f32(
    const norma_convolution *shape, const float *source, float *weights, const float *destination);
void norma_convolution_weights_f64(
    const norma_convolution *shape, const double *source, double *weights,
    const double *destination);

#pragma clang assume_nonnull end
