#include "indexing.h"

#include <stddef.h>
#include <string.h>

#include "run_level.h"

// A place from the front; not inside if it is not below size as an unsigned number.
static inline int64_t resolved(const norma_places *p, int64_t place) {
  return place < 0 && p->wraps ? place + p->size : place;
}

static inline int is_inside(const norma_places *p, int64_t place) {
  return (uint64_t)place < (uint64_t)p->size;
}

// How many elements ahead memory is asked for where the wide side does not stay in cache: places
// jump about, so that nothing else can foresee them.
enum { AHEAD = 32, CACHED = 1 << 19 };

#define INLINE static inline __attribute__((always_inline))

// So many places are looked at together; where all of them are inside, counted from the front, nothing
// else is asked of each.
enum { BLOCK = 32 };

INLINE int are_inside(const int64_t *index, int64_t step, uint64_t size) {
  uint64_t outside = 0;
  for (int64_t n = 0; n < BLOCK; n++) {
    const uint64_t place = (uint64_t)index[n * step];
    outside |= place | (size - 1 - place);
  }
  return (int64_t)outside >= 0;
}

#define BODY "indexing_body.h"
#include "each_level.h"

int64_t norma_gather(
    const norma_places *p, int width, const int64_t *index, const void *wide, void *narrow,
    int64_t begin, int64_t end, const norma_places_part *part) {
  return OF_LEVEL(gather)(p, width, index, wide, narrow, begin, end, part);
}

int64_t norma_scatter(
    const norma_places *p, int width, const int64_t *index, const void *narrow, void *wide,
    const norma_places_part *part) {
  return OF_LEVEL(scatter)(p, width, index, narrow, wide, part);
}

#define SCATTER_REDUCING(NAME, S, T)                                                           \
  int64_t norma_scatter_##NAME(                                                                \
      const norma_places *p, int reduction, const int64_t *index, const S *narrow, T *wide,    \
      const norma_places_part *part) {                                                         \
    return OF_LEVEL(scatter_##NAME)(p, reduction, index, narrow, wide, part);                  \
  }
SCATTER_REDUCING(f32, float, double)
SCATTER_REDUCING(f64, double, double)
SCATTER_REDUCING(i64, int64_t, int64_t)

int64_t norma_check_places(const norma_places *p, const int64_t *index) {
  for (int64_t o = 0; o < p->outer; o++)
    for (int64_t k = 0; k < p->count; k++)
      for (int64_t i = 0; i < p->inner; i++) {
        const int64_t place = index[o * p->index[0] + k * p->index[1] + i * p->index[2]];
        if (!is_inside(p, resolved(p, place))) return (o * p->count + k) * p->inner + i;
      }
  return NORMA_ALL_INSIDE;
}

int64_t norma_count_true(const uint8_t *bytes, int64_t begin, int64_t end) {
  int64_t count = 0;
  for (int64_t i = begin; i < end; i++) count += bytes[i] != 0;
  return count;
}

void norma_list_true(const uint8_t *bytes, int64_t begin, int64_t end, int64_t *out) {
  // Without a branch, which random truth values would mispredict; by way of a small buffer, because
  // what lies behind the last number is somebody else's.
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
  // Divisions only where a row ends: numbers mostly come in order.
  const int64_t columns = shape[rank - 1];
  int64_t row = -1;
  for (int64_t n = begin; n < end; n++) {
    int64_t *place = out + n * rank;
    if (row < 0 || (uint64_t)(flat[n] - row) >= (uint64_t)columns) {
      int64_t rest = flat[n] / columns;
      row = rest * columns;
      for (int64_t d = rank - 2; d >= 0; d--) {
        place[d] = rest % shape[d];
        rest /= shape[d];
      }
    } else {
      for (int64_t d = 0; d < rank - 1; d++) place[d] = place[d - rank];
    }
    place[rank - 1] = flat[n] - row;
  }
}

void norma_floor_divide_i64(
    int64_t begin, int64_t end, const int64_t *a, const int64_t *b, int64_t *out) {
  for (int64_t i = begin; i < end; i++) {
    const int64_t quotient = a[i] / b[i];
    out[i] = quotient - (a[i] % b[i] < 0);
  }
}
