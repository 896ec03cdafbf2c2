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

/// Each computes one operand from the other two, of the types NORMA_F32 or NORMA_F64. `row` is
/// scratch for the longest row of the result.
void norma_convolution_forward(
    int type, const norma_convolution *shape, const void *source, const void *weights,
    const void *_Nullable bias, void *destination, double *row);
void norma_convolution_source(
    int type, const norma_convolution *shape, void *source, const void *weights,
    const void *destination, double *row);
void norma_convolution_weights(
    int type, const norma_convolution *shape, const void *source, void *weights,
    const void *destination);

#pragma clang assume_nonnull end
