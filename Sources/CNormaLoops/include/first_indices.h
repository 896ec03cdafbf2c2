// The first index of a value along one axis of dense `[outer, size, inner]`.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// For each of the chains `begin ..< end` of `outer * inner`, the first index, from `from` up to
/// `to`, of an element that equals the chain's value or is NaN; `size` if there is none.
#define NORMA_FIRST_INDICES(T, s)                                                                  \
  void norma_first_indices_##s(                                                                    \
      int64_t size, int64_t inner, int64_t from, int64_t to, const T *x, const T *values,          \
      int64_t *indices, int64_t begin, int64_t end);
NORMA_FIRST_INDICES(float, f32)
NORMA_FIRST_INDICES(double, f64)
NORMA_FIRST_INDICES(int64_t, i64)
NORMA_FIRST_INDICES(int32_t, i32)
NORMA_FIRST_INDICES(uint8_t, u8)
#undef NORMA_FIRST_INDICES

#pragma clang assume_nonnull end
