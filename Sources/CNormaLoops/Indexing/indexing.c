#include "indexing.h"

#include <stddef.h>
#include <string.h>

#include "run_type.h"

// An index counted from the front; out of range if, as an unsigned number, it is not below size.
static inline int64_t resolved(const norma_indices *p, int64_t position) {
  return position < 0 && p->wraps ? position + p->size : position;
}

static inline int is_inside(const norma_indices *p, int64_t position) {
  return (uint64_t)position < (uint64_t)p->size;
}

// How many elements ahead to prefetch if the wide side does not fit the cache: indices are
// irregular, so the processor cannot predict them.
enum { AHEAD = 32, CACHED = 1 << 19 };

#define INLINE static inline __attribute__((always_inline))

// This many indices are checked together; if all of them are in range and not negative, none needs
// to be resolved.
enum { BLOCK = 32 };

INLINE int are_inside(const int64_t *index, int64_t step, uint64_t size) {
  uint64_t outside = 0;
  for (int64_t n = 0; n < BLOCK; n++) {
    const uint64_t position = (uint64_t)index[n * step];
    outside |= position | (size - 1 - position);
  }
  return (int64_t)outside >= 0;
}

#define BODY "indexing_body.h"
#include "each_level.h"

int64_t norma_gather(
    const norma_indices *p, int width, const int64_t *index, const void *wide, void *narrow,
    int64_t begin, int64_t end, const norma_indices_part *part) {
  const int64_t first = part->inner[0], last = part->inner[1];
  if (first >= last) return NORMA_ALL_INSIDE;
  return OF_WIDTH(
      OF_LEVEL, gather, width, (p, index, wide, narrow, begin, end, first, last));
}

int64_t norma_scatter(
    const norma_indices *p, int width, const int64_t *index, const void *narrow, void *wide,
    const norma_indices_part *part) {
  return OF_WIDTH(OF_LEVEL, scatter, width, (p, index, narrow, wide, part));
}

int64_t norma_combine(
    int type, const norma_indices *p, int reduction, const int64_t *index, const void *narrow,
    void *wide, const norma_indices_part *part) {
  if (type == NORMA_I64) return OF_LEVEL(combine_i64)(p, reduction, index, narrow, wide, part);
  return OF_REAL(OF_LEVEL, combine, type, (p, reduction, index, narrow, wide, part));
}

int64_t norma_check_indices(const norma_indices *p, const int64_t *index) {
  for (int64_t o = 0; o < p->outer; o++)
    for (int64_t k = 0; k < p->count; k++)
      for (int64_t i = 0; i < p->inner; i++) {
        const int64_t position = index[o * p->index[0] + k * p->index[1] + i * p->index[2]];
        if (!is_inside(p, resolved(p, position))) return (o * p->count + k) * p->inner + i;
      }
  return NORMA_ALL_INSIDE;
}

int64_t norma_count_true(const uint8_t *bytes, int64_t begin, int64_t end) {
  int64_t count = 0;
  for (int64_t i = begin; i < end; i++) count += bytes[i] != 0;
  return count;
}

void norma_list_true(const uint8_t *bytes, int64_t begin, int64_t end, int64_t *out) {
  // Without a branch, which random Booleans would mispredict; through a small buffer, because the
  // elements after the last one belong to another part.
  enum { block = 256 };
  int64_t found[block];
  for (int64_t start = begin; start < end; start += block) {
    const int64_t stop = end - start < block ? end : start + block;
    int64_t count = 0;
    for (int64_t i = start; i < stop; i++) {
      found[count] = i;
      count += bytes[i] != 0;
    }
    memcpy(out, found, (size_t)count * sizeof *out);
    out += count;
  }
}

void norma_unravel(
    int64_t rank, const int64_t *shape, const int64_t *flat, int64_t begin, int64_t end,
    int64_t *out) {
  // Divides only where a row ends: indices mostly come in order.
  const int64_t columns = shape[rank - 1];
  int64_t row = -1;
  for (int64_t n = begin; n < end; n++) {
    int64_t *position = out + n * rank;
    if (row < 0 || (uint64_t)(flat[n] - row) >= (uint64_t)columns) {
      int64_t rest = flat[n] / columns;
      row = rest * columns;
      for (int64_t d = rank - 2; d >= 0; d--) {
        position[d] = rest % shape[d];
        rest /= shape[d];
      }
    } else {
      for (int64_t d = 0; d < rank - 1; d++) position[d] = position[d - rank];
    }
    position[rank - 1] = flat[n] - row;
  }
}

void norma_floor_divide_i64(
    int64_t begin, int64_t end, const int64_t *a, const int64_t *b, int64_t *out) {
  for (int64_t i = begin; i < end; i++) {
    const int64_t quotient = a[i] / b[i];
    out[i] = quotient - (a[i] % b[i] < 0);
  }
}
