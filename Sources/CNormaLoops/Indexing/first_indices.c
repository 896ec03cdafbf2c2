#include "first_indices.h"

#include "run_type.h"
#include "vectors.h"

// The search is bound by memory, so there is one loop for all instruction sets.
#define FIRST_INDICES(T, s, V, M)                                                               \
  static int64_t first_##s(int64_t from, int64_t to, const T *x, T value) {                     \
    int64_t i = from;                                                                           \
    for (; i + (int64_t)LANES(T) <= to; i += (int64_t)LANES(T)) {                               \
      const V a = LOAD(V, x + i);                                                               \
      const M found = (M)(a == value) | (M)(a != a);                                            \
      if (__builtin_reduce_or(found)) break;                                                    \
    }                                                                                           \
    while (i < to && !(x[i] == value || x[i] != x[i])) i++;                                     \
    return i;                                                                                   \
  }                                                                                             \
  static void first_indices_##s(                                                                \
      int64_t size, int64_t inner, int64_t from, int64_t to, const T *x, const T *values,       \
      int64_t *indices, int64_t begin, int64_t end) {                                           \
    if (inner == 1) {                                                                           \
      for (int64_t c = begin; c < end; c++) {                                                   \
        const int64_t i = first_##s(from, to, x + c * size, values[c]);                         \
        indices[c] = i < to ? i : size;                                                         \
      }                                                                                         \
      return;                                                                                   \
    }                                                                                           \
    /* Chains that lie beside each other, row by row. */                                        \
    while (begin < end) {                                                                       \
      const int64_t block = begin / inner, column = begin % inner;                              \
      int64_t width = inner - column < end - begin ? inner - column : end - begin;              \
      if (width > 1024) width = 1024;                                                           \
      for (int64_t j = 0; j < width; j++) indices[begin + j] = size;                            \
      int64_t missing = width;                                                                  \
      for (int64_t i = from; i < to && missing > 0; i++) {                                      \
        const T *row = x + (block * size + i) * inner + column;                                 \
        int64_t hits = 0;                                                                       \
        for (int64_t j = 0; j < width; j++) {                                                   \
          const int hit = (row[j] == values[begin + j]) | (row[j] != row[j]);                   \
          const int isNew = hit & (indices[begin + j] == size);                                 \
          indices[begin + j] = isNew ? i : indices[begin + j];                                  \
          hits += isNew;                                                                        \
        }                                                                                       \
        missing -= hits;                                                                        \
      }                                                                                         \
      begin += width;                                                                           \
    }                                                                                           \
  }
FIRST_INDICES(float, f32, f32v, i32v)
FIRST_INDICES(double, f64, f64v, i64v)
FIRST_INDICES(int64_t, i64, i64v, i64v)
FIRST_INDICES(int32_t, i32, i32v, i32v)
FIRST_INDICES(uint8_t, u8, u8v, u8v)

void norma_first_indices(
    int type, int64_t size, int64_t inner, int64_t from, int64_t to, const void *x,
    const void *values, int64_t *indices, int64_t begin, int64_t end) {
  OF_TYPE(
      ALL_LEVELS, first_indices, type, (size, inner, from, to, x, values, indices, begin, end));
}
