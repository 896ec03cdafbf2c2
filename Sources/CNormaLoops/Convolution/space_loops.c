#include "space_loops.h"

#include <math.h>

#include "run_type.h"

#pragma clang fp contract(off)

#define TYPED_BODY "space_loops_body.h"
#define BODY "each_real.h"
#include "each_level.h"

void norma_run_axis_map(
    int type, const norma_axis_map *map, const void *input, void *output, int64_t begin,
    int64_t end) {
  OF_REAL(OF_LEVEL, axis_map, type, (map, input, output, begin, end));
}

void norma_max_pool(
    int type, const norma_windows *windows, const void *input, void *output, int32_t *indices,
    int64_t begin, int64_t end) {
  OF_REAL(OF_LEVEL, max_pool, type, (windows, input, output, indices, begin, end));
}

#define ELEMENTS(T, TYPE)                                                                        \
  static void scatter_##TYPE(                                                                    \
      int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *index,          \
      const T *from, T *wide, int64_t begin, int64_t end) {                                      \
    const int64_t sample = narrow_space * channels;                                              \
    from += begin * sample, index += begin * sample;                                             \
    for (int64_t n = begin; n < end; n++) {                                                      \
      T *to = wide + n * wide_space * channels;                                                  \
      for (int64_t i = 0; i < narrow_space; i++)                                                 \
        for (int64_t c = 0; c < channels; c++, from++, index++)                                  \
          to[*index * channels + c] += *from;                                                    \
    }                                                                                            \
  }                                                                                              \
  static void gather_##TYPE(                                                                     \
      int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *index,          \
      const T *wide, T *to, int64_t begin, int64_t end) {                                        \
    const int64_t sample = narrow_space * channels;                                              \
    to += begin * sample, index += begin * sample;                                               \
    for (int64_t n = begin; n < end; n++) {                                                      \
      const T *from = wide + n * wide_space * channels;                                          \
      for (int64_t i = 0; i < narrow_space; i++)                                                 \
        for (int64_t c = 0; c < channels; c++, to++, index++) *to = from[*index * channels + c]; \
    }                                                                                            \
  }
ELEMENTS(float, f32)
ELEMENTS(double, f64)

void norma_scatter_elements(
    int type, int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *indices,
    const void *narrow, void *wide, int64_t begin, int64_t end) {
  OF_REAL(
      ALL_LEVELS, scatter, type,
      (wide_space, narrow_space, channels, indices, narrow, wide, begin, end));
}

void norma_gather_elements(
    int type, int64_t wide_space, int64_t narrow_space, int64_t channels, const int32_t *indices,
    const void *wide, void *narrow, int64_t begin, int64_t end) {
  OF_REAL(
      ALL_LEVELS, gather, type,
      (wide_space, narrow_space, channels, indices, wide, narrow, begin, end));
}
