#include "counting.h"

#include "run_type.h"

// Differences of numbers fit into unsigned 64 bits.
#define AT(v, low) ((uint64_t)(int64_t)(v) - (uint64_t)(low))

#define COUNTING(T, s, type)                                                                     \
  static void range_##s(int64_t count, const T *x, int64_t *low, int64_t *high) {                \
    /* Both in one pass over memory. */                                                          \
    enum { BLOCK = 4096 };                                                                       \
    const norma_reductions *loops = norma_find_reductions(type);                                 \
    T least = x[0], most = x[0];                                                                 \
    for (int64_t i = 0; i < count; i += BLOCK) {                                                 \
      const int64_t n = count - i < BLOCK ? count - i : BLOCK;                                   \
      loops->minimum((size_t)n, x + i, &least);                                                  \
      loops->maximum((size_t)n, x + i, &most);                                                   \
    }                                                                                            \
    *low = least, *high = most;                                                                  \
  }                                                                                              \
  static void count_##s(int64_t count, const T *x, int64_t low, int64_t *counts) {               \
    for (int64_t i = 0; i < count; i++) counts[AT(x[i], low)]++;                                 \
  }                                                                                              \
  static void list_counted_##s(                                                                  \
      int64_t width, int64_t low, int64_t *table, T *values, int64_t *counts) {                  \
    int64_t found = 0;                                                                           \
    for (int64_t v = 0; v < width; v++) {                                                        \
      if (table[v] == 0) continue;                                                               \
      values[found] = (T)((uint64_t)low + (uint64_t)v);                                          \
      counts[found] = table[v];                                                                  \
      table[v] = found++;                                                                        \
    }                                                                                            \
  }                                                                                              \
  static void look_up_##s(                                                                       \
      const int64_t *table, int64_t low, const T *x, int64_t *out, int64_t begin, int64_t end) { \
    for (int64_t i = begin; i < end; i++) out[i] = table[AT(x[i], low)];                         \
  }
COUNTING(int64_t, i64, NORMA_I64)
COUNTING(int32_t, i32, NORMA_I32)
COUNTING(uint8_t, u8, NORMA_U8)

void norma_range(int type, int64_t count, const void *x, int64_t *low, int64_t *high) {
  OF_INTEGER(ALL_LEVELS, range, type, (count, x, low, high));
}

void norma_count(int type, int64_t count, const void *x, int64_t low, int64_t *counts) {
  OF_INTEGER(ALL_LEVELS, count, type, (count, x, low, counts));
}

void norma_list_counted(
    int type, int64_t width, int64_t low, int64_t *table, void *values, int64_t *counts) {
  OF_INTEGER(ALL_LEVELS, list_counted, type, (width, low, table, values, counts));
}

void norma_look_up(
    int type, const int64_t *table, int64_t low, const void *x, int64_t *out, int64_t begin,
    int64_t end) {
  OF_INTEGER(ALL_LEVELS, look_up, type, (table, low, x, out, begin, end));
}

int64_t norma_count_counted(int64_t width, const int64_t *table) {
  int64_t found = 0;
  for (int64_t v = 0; v < width; v++) found += table[v] > 0;
  return found;
}

void norma_add_weights(int64_t count, const int64_t *x, const double *weights, double *sums) {
  for (int64_t i = 0; i < count; i++) sums[x[i]] += weights[i];
}
