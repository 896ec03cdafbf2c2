// A step of the optimizers Adam and AdamW in one pass over memory.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct {
  float decay;   // factor for the value
  float joined;  // share of the value added to the gradient
  float mean_share, square_kept, square_share;
  float size, scale, eps;
} norma_adam_numbers;

/// Contiguous elements. A result may overwrite its operand.
typedef struct {
  const float *value, *gradient, *mean, *square;
  float *next_value, *next_mean, *next_square;
} norma_adam_memory;

/// For the elements `begin ..< end`, every operation rounded separately:
///
///     g = gradient + value joined           (the gradient where joined is 0)
///     next_mean = mean + (g - mean) mean_share
///     next_square = square square_kept + g g square_share
///     next_value = value decay - next_mean size / (sqrt(next_square) scale + eps)
///
/// Stores of the value bypass the caches if that is requested and `next_value` is a multiple of 64
/// bytes.
void norma_adam_step_f32(
    const norma_adam_numbers *numbers, const norma_adam_memory *memory, int streamed, int64_t begin,
    int64_t end);

#pragma clang assume_nonnull end
