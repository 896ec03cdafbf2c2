#include "attention.h"

#include <stddef.h>
#include <string.h>

#include "parts.h"
#include "run_type.h"

#pragma clang fp contract(off)

#define BODY "attention_body.h"
#include "each_level.h"

// MARK: Scores

// How many columns a row of the block sees.
static int64_t seen_columns(const norma_attention_block *block, int64_t row) {
  const int64_t seen = block->seen + row;
  return seen < 0 ? 0 : smaller(seen, block->columns);
}

#define MASKED(name, T)                                                                    \
  static void mask_##name(const norma_attention_block *b, int64_t row, int64_t n, T *s) {  \
    const int64_t step = b->mask_column;                                                   \
    if (b->bias) {                                                                         \
      const T *bias = (const T *)b->bias + row * b->mask_row;                              \
      for (int64_t j = 0; j < n; j++) s[j] += bias[j * step];                              \
    }                                                                                      \
    if (b->visible) {                                                                      \
      const uint8_t *visible = b->visible + row * b->mask_row;                             \
      for (int64_t j = 0; j < n; j++) s[j] = visible[j * step] ? s[j] : (T)-__builtin_inf(); \
    }                                                                                      \
  }
MASKED(f32, float)
MASKED(f64, double)

// The number of columns of a row that are computed: those that it sees, rounded up to a multiple of
// 16 within the row, because loops are slow at the rest of a vector. The added scores get a seen
// value.
#define WIDEN(name, T)                                                                     \
  static int64_t widen_##name(const norma_attention_block *b, int64_t n, T *s) {           \
    const int64_t wide = n ? smaller((n + 15) / 16 * 16, b->columns) : 0;                  \
    for (int64_t j = n; j < wide; j++) s[j] = s[0];                                        \
    return wide;                                                                           \
  }
WIDEN(f32, float)
WIDEN(f64, double)

// exp(s - highest) for n scores. Powers below that of `floor` are 0: beside the largest, which is
// 1, they are less than the type's smallest normal numbers, and exp is slow there.
#define POWERS(name, T, lowest)                                                            \
  static void take_powers_##name(norma_loop exp, int64_t n, T highest, T *s) {             \
    const T floor = lowest;                                                                \
    const int some = OF_LEVEL(shift_##name)(n, highest, floor, s);                         \
    exp((size_t)n, (const void *const[]){s}, s);                                           \
    if (!some) return;                                                                     \
    T least;                                                                               \
    exp(1, (const void *const[]){&floor}, &least);                                         \
    OF_LEVEL(flush_##name)(n, least, s);                                                   \
  }
POWERS(f32, float, -86)
POWERS(f64, double, -700)

// What powers of scores below `before` must be multiplied by.
#define FACTOR(name, T)                                                                    \
  static T factor_##name(norma_loop exp, T before, T highest) {                            \
    if (before == highest) return 1;                                                       \
    if (before == (T)-__builtin_inf()) return 0;                                           \
    T factor = before - highest;                                                           \
    exp(1, (const void *const[]){&factor}, &factor);                                       \
    return factor;                                                                         \
  }
FACTOR(f32, float)
FACTOR(f64, double)

#define WEIGHTS(name, T)                                                                     \
  static void weights_##name(                                                                \
      const norma_attention_block *b, T *scores, T *highest, double *sums, double *factors) { \
    const norma_loop exp = norma_find_loop(NORMA_EXP, b->type, 0);                           \
    const norma_reductions *reductions = norma_find_reductions(b->type);                     \
    for (int64_t i = 0; i < b->rows; i++) {                                                  \
      T *s = scores + i * b->columns;                                                        \
      const int64_t n = seen_columns(b, i);                                                  \
      const T before = highest[i];                                                           \
      mask_##name(b, i, n, s);                                                               \
      const int64_t wide = widen_##name(b, n, s);                                            \
      if (wide) reductions->maximum((size_t)wide, s, &highest[i]);                           \
      if (!n || highest[i] == (T)-__builtin_inf()) {                                         \
        memset(s, 0, (size_t)b->columns * sizeof(T));                                        \
        factors[i] = 1;                                                                      \
        continue;                                                                            \
      }                                                                                      \
      factors[i] = (double)factor_##name(exp, before, highest[i]);                           \
      take_powers_##name(exp, wide, highest[i], s);                                          \
      memset(s + n, 0, (size_t)(b->columns - n) * sizeof(T));                                \
      double sum = 0;                                                                        \
      reductions->sum((size_t)wide, s, &sum);                                                \
      sums[i] = sums[i] * factors[i] + sum;                                                  \
    }                                                                                        \
  }                                                                                          \
  static void powers_##name(const norma_attention_block *b, T *scores, const T *highest) {   \
    const norma_loop exp = norma_find_loop(NORMA_EXP, b->type, 0);                           \
    for (int64_t i = 0; i < b->rows; i++) {                                                  \
      T *s = scores + i * b->columns;                                                        \
      const int64_t n = highest[i] == (T)-__builtin_inf() ? 0 : seen_columns(b, i);          \
      mask_##name(b, i, n, s);                                                               \
      take_powers_##name(exp, widen_##name(b, n, s), highest[i], s);                         \
      memset(s + n, 0, (size_t)(b->columns - n) * sizeof(T));                                \
    }                                                                                        \
  }
WEIGHTS(f32, float)
WEIGHTS(f64, double)

void norma_attention_weights(
    const norma_attention_block *block, void *scores, void *highest, double *sums,
    double *factors) {
  OF_REAL(ALL_LEVELS, weights, block->type, (block, scores, highest, sums, factors));
}

void norma_attention_powers(
    const norma_attention_block *block, void *scores, const void *highest) {
  OF_REAL(ALL_LEVELS, powers, block->type, (block, scores, highest));
}

// MARK: Rows of operands and results

#define ROWS(name, T)                                                                        \
  static void scale_rows_##name(                                                             \
      int64_t rows, int64_t columns, const T *from, int64_t from_row, int64_t from_column,   \
      double factor, const double *factors, T *to, int64_t to_row) {                         \
    for (int64_t i = 0; i < rows; i++, from += from_row, to += to_row) {                     \
      const double all = factors ? factors[i] * factor : factor;                             \
      if (from_column == 1) {                                                                \
        OF_LEVEL(scale_##name)(columns, from, all, to);                                      \
      } else {                                                                               \
        for (int64_t j = 0; j < columns; j++) to[j] = (T)((double)from[j * from_column] * all); \
      }                                                                                      \
    }                                                                                        \
  }                                                                                          \
  static void add_rows_##name(                                                               \
      int64_t rows, int64_t columns, const T *from, const double *factors, T *into,          \
      int64_t into_row) {                                                                    \
    for (int64_t i = 0; i < rows; i++, from += columns, into += into_row) {                  \
      OF_LEVEL(add_##name)(columns, from, factors ? (T)factors[i] : 1, into);                \
    }                                                                                        \
  }                                                                                          \
  static void dots_##name(                                                                   \
      int64_t rows, int64_t columns, const T *a, const T *b, int64_t b_row, double *sums) {  \
    for (int64_t i = 0; i < rows; i++) {                                                     \
      sums[i] = OF_LEVEL(dot_##name)(columns, a + i * columns, b + i * b_row);               \
    }                                                                                        \
  }                                                                                          \
  static void slope_rows_##name(                                                             \
      const norma_attention_block *block, const T *weights, T *slopes, const double *means) { \
    const int64_t n = block->columns;                                                        \
    for (int64_t i = 0; i < block->rows; i++, weights += n, slopes += n) {                   \
      OF_LEVEL(slopes_##name)(n, weights, means[i], slopes);                                 \
    }                                                                                        \
  }                                                                                          \
  static void keep_rows_##name(                                                              \
      int64_t rows, int64_t n, const uint8_t *kept, int64_t kept_row, const T *from, T *to) { \
    for (int64_t i = 0; i < rows; i++, kept += kept_row, from += n, to += n) {               \
      OF_LEVEL(keep_##name)(n, kept, from, to);                                              \
    }                                                                                        \
  }
ROWS(f32, float)
ROWS(f64, double)

void norma_attention_slopes(
    const norma_attention_block *block, const void *weights, void *slopes, const double *means) {
  OF_REAL(ALL_LEVELS, slope_rows, block->type, (block, weights, slopes, means));
}

void norma_attention_keep(
    int type, int64_t rows, int64_t columns, const uint8_t *kept, int64_t kept_row,
    const void *from, void *to) {
  OF_REAL(ALL_LEVELS, keep_rows, type, (rows, columns, kept, kept_row, from, to));
}

void norma_attention_scale(
    int type, int64_t rows, int64_t columns, const void *from, int64_t from_row,
    int64_t from_column, double factor, const double *factors, void *to, int64_t to_row) {
  OF_REAL(
      ALL_LEVELS, scale_rows, type,
      (rows, columns, from, from_row, from_column, factor, factors, to, to_row));
}

void norma_attention_add(
    int type, int64_t rows, int64_t columns, const void *from, const double *factors, void *into,
    int64_t into_row) {
  OF_REAL(ALL_LEVELS, add_rows, type, (rows, columns, from, factors, into, into_row));
}

void norma_attention_dots(
    int type, int64_t rows, int64_t columns, const void *a, const void *b, int64_t b_row,
    double *sums) {
  OF_REAL(ALL_LEVELS, dots, type, (rows, columns, a, b, b_row, sums));
}
