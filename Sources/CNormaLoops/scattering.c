#include "indexing.h"

#include <string.h>

// Numbers of float that come together are added as doubles, a block at a time that stays in cache.

static void widen(const float *from, int64_t stride, int64_t count, double *to) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; i++) to[i] = from[i];
  } else {
    for (int64_t i = 0; i < count; i++) to[i] = from[i * stride];
  }
}

static void round_down(const double *from, int64_t count, float *to) {
  for (int64_t i = 0; i < count; i++) to[i] = (float)from[i];
}

int64_t norma_scatter_blocks(
    const norma_places *p, int reduction, const int64_t *index, const float *narrow,
    const float *start, float *wide, double *room, int64_t begin, int64_t end) {
  const int64_t block = p->size * p->inner;
  norma_places one = *p;
  one.outer = 1;
  one.wide[0] = block, one.wide[1] = p->inner, one.wide[2] = 1;
  const norma_places_part part = {{0, 1}, {0, p->inner}, {0, p->size}};
  for (int64_t o = begin; o < end; o++) {
    const float *from = start + o * p->wide[0];
    if (p->inner == 1) {
      widen(from, p->wide[1], block, room);
    } else {
      for (int64_t k = 0; k < p->size; k++) {
        widen(from + k * p->wide[1], p->wide[2], p->inner, room + k * p->inner);
      }
    }
    const int64_t wrong = norma_scatter_f32(
        &one, reduction, index + o * p->index[0], narrow + o * p->narrow[0], room, &part);
    if (wrong != NORMA_ALL_INSIDE) return o * p->count * p->inner + wrong;
    round_down(room, block, wide + o * block);
  }
  return NORMA_ALL_INSIDE;
}

int64_t norma_sort_places(
    const norma_places *p, const int64_t *index, int64_t *starts, int64_t *order) {
  const int64_t step = p->index[1], around = p->wraps ? p->size : 0;
  // Where those of a place begin is found at that of the place before, which ends there.
  memset(starts, 0, (size_t)(p->size + 2) * sizeof *starts);
  for (int64_t k = 0; k < p->count; k++) {
    const int64_t place = index[k * step] + ((index[k * step] >> 63) & around);
    if ((uint64_t)place >= (uint64_t)p->size) return k;
    starts[place + 2]++;
  }
  for (int64_t t = 0; t < p->size; t++) starts[t + 2] += starts[t + 1];
  for (int64_t k = 0; k < p->count; k++) {
    const int64_t place = index[k * step] + ((index[k * step] >> 63) & around);
    order[starts[place + 1]++] = k;
  }
  return NORMA_ALL_INSIDE;
}

#define REDUCE_ROW(VALUE)                                                \
  if (stride == 1) {                                                     \
    for (int64_t i = 0; i < count; i++) {                                \
      const double new = from[i], old = room[i];                         \
      room[i] = VALUE;                                                   \
    }                                                                    \
  } else {                                                               \
    for (int64_t i = 0; i < count; i++) {                                \
      const double new = from[i * stride], old = room[i];                \
      room[i] = VALUE;                                                   \
    }                                                                    \
  }                                                                      \
  break;

static void reduce_row(
    int reduction, const float *from, int64_t stride, int64_t count, double *room) {
  switch (reduction) {
    case NORMA_PLACES_ADD: REDUCE_ROW(old + new)
    case NORMA_PLACES_MULTIPLY: REDUCE_ROW(old * new)
    case NORMA_PLACES_MIN: REDUCE_ROW(new != new ? new : new < old ? new : old)
    default: REDUCE_ROW(new != new ? new : new > old ? new : old)
  }
}

void norma_scatter_sorted(
    const norma_places *p, int reduction, const int64_t *starts, const int64_t *order,
    const float *narrow, const float *start, float *wide, int64_t begin, int64_t end) {
  enum { ROOM = 1024 };
  double room[ROOM];
  for (int64_t t = begin; t < end; t++) {
    const float *own = start + t * p->wide[1];
    float *to = wide + t * p->inner;
    if (starts[t] == starts[t + 1] && p->wide[2] == 1) {
      memcpy(to, own, (size_t)p->inner * sizeof *to);
      continue;
    }
    for (int64_t i = 0; i < p->inner; i += ROOM) {
      const int64_t count = p->inner - i < ROOM ? p->inner - i : ROOM;
      widen(own + i * p->wide[2], p->wide[2], count, room);
      for (int64_t n = starts[t]; n < starts[t + 1]; n++) {
        const float *from = narrow + order[n] * p->narrow[1] + i * p->narrow[2];
        reduce_row(reduction, from, p->narrow[2], count, room);
      }
      round_down(room, count, to + i);
    }
  }
}
