// Where a value stands first along one axis of `[outer, size, inner]`, all without gaps.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// For each of the chains `begin ..< end` of `outer * inner` the first place, from `from` up to `to`,
/// of an element that equals the chain's value or is NaN; `size` where there is none.
#define NORMA_FIRST_PLACES(T, s)                                                                  \
  void norma_first_places_##s(                                                                    \
      int64_t size, int64_t inner, int64_t from, int64_t to, const T *x, const T *values,         \
      int64_t *places, int64_t begin, int64_t end);
NORMA_FIRST_PLACES(float, f32)
NORMA_FIRST_PLACES(double, f64)
NORMA_FIRST_PLACES(int64_t, i64)
NORMA_FIRST_PLACES(int32_t, i32)
NORMA_FIRST_PLACES(uint8_t, u8)
#undef NORMA_FIRST_PLACES

#pragma clang assume_nonnull end
