#include "space_loops.h"

#include <math.h>

#include "run_level.h"

#pragma clang fp contract(off)

#define JOIN2(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN2(a, b, c)
#define NAME(x) JOIN(x, TYPE, LEVEL)

#define LEVEL base
#define T float
#define TYPE f32
#include "space_loops_body.h"
#undef T
#undef TYPE
#define T double
#define TYPE f64
#include "space_loops_body.h"
#undef T
#undef TYPE
#undef LEVEL

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL v3
#define T float
#define TYPE f32
#include "space_loops_body.h"
#undef T
#undef TYPE
#define T double
#define TYPE f64
#include "space_loops_body.h"
#undef T
#undef TYPE
#undef LEVEL
#pragma clang attribute pop
// Full 512-bit vectors, which the default tuning of this level would split.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#define LEVEL v4
#define T float
#define TYPE f32
#include "space_loops_body.h"
#undef T
#undef TYPE
#define T double
#define TYPE f64
#include "space_loops_body.h"
#undef T
#undef TYPE
#undef LEVEL
#pragma clang attribute pop
#endif

#define ENTRIES(T, TYPE)                                                                         \
  void norma_axis_map_##TYPE(                                                                    \
      const norma_axis_map *map, const T *input, T *output, int64_t begin, int64_t end) {        \
    OF_LEVEL(axis_map_##TYPE)(map, input, output, begin, end);                                   \
  }                                                                                              \
  void norma_max_pool_##TYPE(                                                                    \
      const norma_windows *windows, const T *input, T *output, int32_t *indices, int64_t begin,  \
      int64_t end) {                                                                             \
    OF_LEVEL(max_pool_##TYPE)(windows, input, output, indices, begin, end);                      \
  }                                                                                              \
  void norma_scatter_elements_##TYPE(                                                            \
      int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *indices,        \
      const T *narrow, T *wide, int64_t begin, int64_t end) {                                    \
    const int64_t sample = narrow_space * channels;                                              \
    for (int64_t n = begin; n < end; n++) {                                                      \
      const T *from = narrow + n * sample;                                                       \
      const int32_t *index = indices + n * sample;                                               \
      T *to = wide + n * wide_space * channels;                                                  \
      for (int64_t i = 0; i < narrow_space; i++)                                                 \
        for (int64_t c = 0; c < channels; c++, from++, index++)                                  \
          to[*index * channels + c] += *from;                                                    \
    }                                                                                            \
  }                                                                                              \
  void norma_gather_elements_##TYPE(                                                             \
      int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *indices,        \
      const T *wide, T *narrow, int64_t begin, int64_t end) {                                    \
    const int64_t sample = narrow_space * channels;                                              \
    for (int64_t n = begin; n < end; n++) {                                                      \
      const T *from = wide + n * wide_space * channels;                                          \
      const int32_t *index = indices + n * sample;                                               \
      T *to = narrow + n * sample;                                                               \
      for (int64_t i = 0; i < narrow_space; i++)                                                 \
        for (int64_t c = 0; c < channels; c++, to++, index++) *to = from[*index * channels + c]; \
    }                                                                                            \
  }

ENTRIES(float, f32)
ENTRIES(double, f64)
