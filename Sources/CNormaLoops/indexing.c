#include "indexing.h"

#include <stddef.h>
#include <string.h>

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

// So many places are looked at together where they stay in cache.
enum { EIGHT = 8 };

#define INLINE static inline __attribute__((always_inline))

// Elements of single lines, where no axis is inside. Strides are constants where this is inlined.
#define GATHER_LINE(T)                                                                         \
  INLINE int64_t gather_line_##T(                                                              \
      const norma_places *p, const int64_t *index, const T *from, T *to, int64_t begin,        \
      int64_t end, int64_t step, int64_t stride, int64_t ahead) {                              \
    int64_t wrong = NORMA_ALL_INSIDE, k = begin;                                               \
    const int64_t around = p->wraps ? p->size : 0;                                             \
    const uint64_t size = (uint64_t)p->size, last = size - 1;                                  \
    for (; !ahead && k + EIGHT <= end; k += EIGHT) {                                           \
      int64_t place[EIGHT], outside = 0;                                                       \
      for (int64_t n = 0; n < EIGHT; n++) {                                                    \
        const int64_t given = index[(k + n) * step];                                           \
        place[n] = given + ((given >> 63) & around);                                           \
        outside |= place[n] | (int64_t)(last - (uint64_t)place[n]);                            \
      }                                                                                        \
      if (outside < 0) break;                                                                  \
      for (int64_t n = 0; n < EIGHT; n++) to[k + n] = from[place[n] * stride];                 \
    }                                                                                          \
    for (; k < end; k++) {                                                                     \
      if (ahead && k + ahead < end) {                                                          \
        __builtin_prefetch(from + (uint64_t)index[(k + ahead) * step] * (uint64_t)stride);     \
      }                                                                                        \
      int64_t place = index[k * step];                                                         \
      place += (place >> 63) & around;                                                         \
      if ((uint64_t)place < size) {                                                            \
        to[k] = from[place * stride];                                                          \
      } else if (wrong == NORMA_ALL_INSIDE) {                                                  \
        wrong = k;                                                                             \
      }                                                                                        \
    }                                                                                          \
    return wrong;                                                                              \
  }                                                                                            \
  static int64_t gather_lines_##T(                                                             \
      const norma_places *p, const int64_t *index, const T *wide, T *narrow, int64_t begin,    \
      int64_t end) {                                                                           \
    const int is_plain = p->index[1] == 1 && p->wide[1] == 1;                                  \
    const int is_far = p->size * (int64_t)sizeof(T) > CACHED;                                  \
    int64_t o = begin / p->count, first = begin % p->count;                                    \
    for (int64_t row = begin; row < end; o++, first = 0) {                                     \
      const int64_t rest = end - row, last = p->count - first < rest ? p->count : first + rest;\
      const int64_t *at = index + o * p->index[0];                                             \
      const T *from = wide + o * p->wide[0];                                                   \
      T *to = narrow + o * p->count;                                                           \
      const int64_t step = p->index[1], stride = p->wide[1];                                   \
      const int64_t wrong =                                                                    \
          is_plain ? is_far ? gather_line_##T(p, at, from, to, first, last, 1, 1, AHEAD)       \
                            : gather_line_##T(p, at, from, to, first, last, 1, 1, 0)           \
                   : gather_line_##T(p, at, from, to, first, last, step, stride, AHEAD);       \
      if (wrong != NORMA_ALL_INSIDE) return o * p->count + wrong;                              \
      row += last - first;                                                                     \
    }                                                                                          \
    return NORMA_ALL_INSIDE;                                                                   \
  }

GATHER_LINE(uint8_t)
GATHER_LINE(uint16_t)
GATHER_LINE(uint32_t)
GATHER_LINE(uint64_t)

#define GATHER(T)                                                                              \
  static int64_t gather_##T(                                                                   \
      const norma_places *p, const int64_t *index, const T *wide, T *narrow, int64_t begin,    \
      int64_t end, int64_t first, int64_t last) {                                              \
    if (p->inner == 1) return gather_lines_##T(p, index, wide, narrow, begin, end);            \
    int64_t wrong = NORMA_ALL_INSIDE;                                                          \
    int64_t o = begin / p->count, k = begin % p->count;                                        \
    const int64_t stride = p->wide[2];                                                         \
    for (int64_t row = begin; row < end; row++) {                                              \
      const int64_t *at = index + o * p->index[0] + k * p->index[1];                           \
      const T *from = wide + o * p->wide[0];                                                   \
      T *to = narrow + row * p->inner;                                                         \
      if (++k == p->count) k = 0, o++;                                                         \
      if (p->index[2] == 0) {                                                                  \
        const int64_t place = resolved(p, *at);                                                \
        if (!is_inside(p, place)) {                                                            \
          if (wrong == NORMA_ALL_INSIDE) wrong = row * p->inner;                               \
          continue;                                                                            \
        }                                                                                      \
        from += place * p->wide[1];                                                            \
        if (last - first == 1) {                                                               \
          to[first] = from[first * stride];                                                    \
        } else if (stride == 1) {                                                              \
          memcpy(to + first, from + first, (size_t)(last - first) * sizeof(T));                \
        } else {                                                                               \
          for (int64_t i = first; i < last; i++) to[i] = from[i * stride];                     \
        }                                                                                      \
      } else {                                                                                 \
        for (int64_t i = first; i < last; i++) {                                               \
          const int64_t place = resolved(p, at[i * p->index[2]]);                              \
          if (is_inside(p, place)) {                                                           \
            to[i] = from[place * p->wide[1] + i * stride];                                     \
          } else if (wrong == NORMA_ALL_INSIDE) {                                              \
            wrong = row * p->inner + i;                                                        \
          }                                                                                    \
        }                                                                                      \
      }                                                                                        \
    }                                                                                          \
    return wrong;                                                                              \
  }

GATHER(uint8_t)
GATHER(uint16_t)
GATHER(uint32_t)
GATHER(uint64_t)

int64_t norma_gather(
    const norma_places *p, int width, const int64_t *index, const void *wide, void *narrow,
    int64_t begin, int64_t end, const norma_places_part *part) {
  const int64_t first = part->inner[0], last = part->inner[1];
  if (first >= last) return NORMA_ALL_INSIDE;
  switch (width) {
    case 1: return gather_uint8_t(p, index, wide, narrow, begin, end, first, last);
    case 2: return gather_uint16_t(p, index, wide, narrow, begin, end, first, last);
    case 4: return gather_uint32_t(p, index, wide, narrow, begin, end, first, last);
    default: return gather_uint64_t(p, index, wide, narrow, begin, end, first, last);
  }
}

// Single lines, as above. Places outside of `low ..< high` are for others, if they are inside.
#define SCATTER_LINE(NAME, S, T, STORE)                                                        \
  INLINE int64_t NAME##_line(                                                                  \
      const norma_places *p, const int64_t *index, const S *narrow, T *wide, int64_t low,      \
      int64_t high, int64_t step, int64_t pace, int64_t stride, int64_t ahead) {               \
    int64_t wrong = NORMA_ALL_INSIDE;                                                          \
    const int64_t around = p->wraps ? p->size : 0, count = p->count;                           \
    const uint64_t room = (uint64_t)(high - low);                                              \
    for (int64_t k = 0; k < count; k++) {                                                      \
      if (ahead && k + ahead < count) {                                                        \
        __builtin_prefetch(wide + (uint64_t)index[(k + ahead) * step] * (uint64_t)stride, 1);  \
      }                                                                                        \
      int64_t place = index[k * step];                                                         \
      place += (place >> 63) & around;                                                         \
      if ((uint64_t)place - (uint64_t)low < room) {                                            \
        const S *from = narrow + k * pace;                                                     \
        T *to = wide + place * stride;                                                         \
        STORE                                                                                  \
      } else if (!is_inside(p, place) && wrong == NORMA_ALL_INSIDE) {                          \
        wrong = k;                                                                             \
      }                                                                                        \
    }                                                                                          \
    return wrong;                                                                              \
  }                                                                                            \
  static int64_t NAME##_lines(                                                                 \
      const norma_places *p, const int64_t *index, const S *narrow, T *wide,                   \
      const norma_places_part *part) {                                                         \
    const int64_t step = p->index[1], pace = p->narrow[1], stride = p->wide[1];                \
    const int64_t low = part->axis[0], high = part->axis[1];                                   \
    const int is_plain = step == 1 && pace == 1 && stride == 1;                                \
    const int is_far = p->size * (int64_t)sizeof(T) > CACHED;                                  \
    for (int64_t o = part->outer[0]; o < part->outer[1]; o++) {                                \
      const int64_t *at = index + o * p->index[0];                                             \
      const S *from = narrow + o * p->narrow[0];                                               \
      T *to = wide + o * p->wide[0];                                                           \
      const int64_t wrong =                                                                    \
          is_plain ? is_far ? NAME##_line(p, at, from, to, low, high, 1, 1, 1, AHEAD)          \
                            : NAME##_line(p, at, from, to, low, high, 1, 1, 1, 0)              \
                   : NAME##_line(p, at, from, to, low, high, step, pace, stride, AHEAD);       \
      if (wrong != NORMA_ALL_INSIDE) return o * p->count + wrong;                              \
    }                                                                                          \
    return NORMA_ALL_INSIDE;                                                                   \
  }

// Walks over the narrow side; STORE puts the element at `from` to the one at `to`.
#define SCATTER(LINES, S, T, STORE)                                                            \
  if (p->inner == 1 && part->inner[0] == 0 && part->inner[1] == 1) {                           \
    return LINES(p, index, narrow, wide, part);                                                \
  }                                                                                            \
  int64_t wrong = NORMA_ALL_INSIDE;                                                            \
  const int64_t first = part->inner[0], last = part->inner[1];                                 \
  const int64_t low = part->axis[0], high = part->axis[1];                                     \
  if (first >= last) return wrong;                                                             \
  for (int64_t o = part->outer[0]; o < part->outer[1]; o++) {                                  \
    T *outer = wide + o * p->wide[0];                                                          \
    for (int64_t k = 0; k < p->count; k++) {                                                   \
      const int64_t *at = index + o * p->index[0] + k * p->index[1];                           \
      const S *source = narrow + o * p->narrow[0] + k * p->narrow[1];                          \
      if (p->index[2] == 0 || p->inner == 1) {                                                 \
        const int64_t place = resolved(p, *at);                                                \
        if (!is_inside(p, place)) {                                                            \
          if (wrong == NORMA_ALL_INSIDE) wrong = (o * p->count + k) * p->inner;                \
          continue;                                                                            \
        }                                                                                      \
        if (place < low || place >= high) continue;                                            \
        T *target = outer + place * p->wide[1];                                                \
        if (last - first == 1) {                                                               \
          const S *from = source + first * p->narrow[2];                                       \
          T *to = target + first * p->wide[2];                                                 \
          STORE                                                                                \
        } else if (p->narrow[2] == 1 && p->wide[2] == 1) {                                     \
          for (int64_t i = first; i < last; i++) {                                             \
            const S *from = source + i;                                                        \
            T *to = target + i;                                                                \
            STORE                                                                              \
          }                                                                                    \
        } else {                                                                               \
          for (int64_t i = first; i < last; i++) {                                             \
            const S *from = source + i * p->narrow[2];                                         \
            T *to = target + i * p->wide[2];                                                   \
            STORE                                                                              \
          }                                                                                    \
        }                                                                                      \
      } else {                                                                                 \
        for (int64_t i = first; i < last; i++) {                                               \
          const int64_t place = resolved(p, at[i * p->index[2]]);                              \
          if (!is_inside(p, place)) {                                                          \
            if (wrong == NORMA_ALL_INSIDE) wrong = (o * p->count + k) * p->inner + i;          \
            continue;                                                                          \
          }                                                                                    \
          if (place < low || place >= high) continue;                                          \
          const S *from = source + i * p->narrow[2];                                           \
          T *to = outer + place * p->wide[1] + i * p->wide[2];                                 \
          STORE                                                                                \
        }                                                                                      \
      }                                                                                        \
    }                                                                                          \
  }                                                                                            \
  return wrong;

#define SCATTER_BITS(T)                                                                        \
  SCATTER_LINE(scatter_##T, T, T, *to = *from;)                                                \
  static int64_t scatter_##T(                                                                  \
      const norma_places *p, const int64_t *index, const T *narrow, T *wide,                   \
      const norma_places_part *part) {                                                         \
    SCATTER(scatter_##T##_lines, T, T, *to = *from;)                                           \
  }

SCATTER_BITS(uint8_t)
SCATTER_BITS(uint16_t)
SCATTER_BITS(uint32_t)
SCATTER_BITS(uint64_t)

int64_t norma_scatter(
    const norma_places *p, int width, const int64_t *index, const void *narrow, void *wide,
    const norma_places_part *part) {
  switch (width) {
    case 1: return scatter_uint8_t(p, index, narrow, wide, part);
    case 2: return scatter_uint16_t(p, index, narrow, wide, part);
    case 4: return scatter_uint32_t(p, index, narrow, wide, part);
    default: return scatter_uint64_t(p, index, narrow, wide, part);
  }
}

// Without branches, which would be mispredicted: NaN wins.
#define EXTREME(T, IS)                         \
  const T new = *from, old = *to;              \
  const T better = new IS old ? new : old;     \
  *to = new != new ? new : better;

#define SCATTER_REDUCING(NAME, S, T, ADD, MULTIPLY)                                            \
  SCATTER_LINE(add_##NAME, S, T, *to = ADD;)                                                   \
  static int64_t add_##NAME(                                                                   \
      const norma_places *p, const int64_t *index, const S *narrow, T *wide,                   \
      const norma_places_part *part) {                                                         \
    SCATTER(add_##NAME##_lines, S, T, *to = ADD;)                                              \
  }                                                                                            \
  SCATTER_LINE(multiply_##NAME, S, T, *to = MULTIPLY;)                                         \
  static int64_t multiply_##NAME(                                                              \
      const norma_places *p, const int64_t *index, const S *narrow, T *wide,                   \
      const norma_places_part *part) {                                                         \
    SCATTER(multiply_##NAME##_lines, S, T, *to = MULTIPLY;)                                    \
  }                                                                                            \
  SCATTER_LINE(minimum_##NAME, S, T, EXTREME(T, <))                                             \
  static int64_t minimum_##NAME(                                                               \
      const norma_places *p, const int64_t *index, const S *narrow, T *wide,                   \
      const norma_places_part *part) {                                                         \
    SCATTER(minimum_##NAME##_lines, S, T, EXTREME(T, <))                                        \
  }                                                                                            \
  SCATTER_LINE(maximum_##NAME, S, T, EXTREME(T, >))                                             \
  static int64_t maximum_##NAME(                                                               \
      const norma_places *p, const int64_t *index, const S *narrow, T *wide,                   \
      const norma_places_part *part) {                                                         \
    SCATTER(maximum_##NAME##_lines, S, T, EXTREME(T, >))                                        \
  }                                                                                            \
  int64_t norma_scatter_##NAME(                                                                \
      const norma_places *p, int reduction, const int64_t *index, const S *narrow, T *wide,    \
      const norma_places_part *part) {                                                         \
    switch (reduction) {                                                                       \
      case NORMA_PLACES_ADD: return add_##NAME(p, index, narrow, wide, part);                  \
      case NORMA_PLACES_MULTIPLY: return multiply_##NAME(p, index, narrow, wide, part);        \
      case NORMA_PLACES_MIN: return minimum_##NAME(p, index, narrow, wide, part);              \
      default: return maximum_##NAME(p, index, narrow, wide, part);                            \
    }                                                                                          \
  }

SCATTER_REDUCING(f32, float, double, *to + (double)*from, *to * (double)*from)
SCATTER_REDUCING(f64, double, double, *to + *from, *to * *from)
// Integers wrap.
SCATTER_REDUCING(
    i64, int64_t, int64_t, (int64_t)((uint64_t)*to + (uint64_t)*from),
    (int64_t)((uint64_t)*to * (uint64_t)*from))

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
