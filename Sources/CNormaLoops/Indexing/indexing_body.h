// Gathering and scattering by index; included once per instruction set with LEVEL defined.

// Single elements, without inner axes. Strides are constants where this is inlined.
#define GATHER_LINE(T)                                                                          \
  INLINE int64_t LEVEL(gather_line_##T)(                                                        \
      const norma_indices *p, const int64_t *index, const T *from, T *to, int64_t begin,        \
      int64_t end, int64_t step, int64_t stride, int64_t ahead) {                               \
    int64_t wrong = NORMA_ALL_INSIDE, k = begin;                                                \
    const int64_t around = p->wraps ? p->size : 0;                                              \
    const uint64_t size = (uint64_t)p->size;                                                    \
    while (k < end) {                                                                           \
      int64_t stop = end;                                                                       \
      if (!ahead && k + BLOCK <= end) {                                                         \
        stop = k + BLOCK;                                                                       \
        if (are_inside(index + k * step, step, size)) {                                         \
          for (; k < stop; k++) to[k] = from[index[k * step] * stride];                         \
          continue;                                                                             \
        }                                                                                       \
      }                                                                                         \
      for (; k < stop; k++) {                                                                   \
        if (ahead && k + ahead < end) {                                                         \
          __builtin_prefetch(from + (uint64_t)index[(k + ahead) * step] * (uint64_t)stride);    \
        }                                                                                       \
        int64_t position = index[k * step];                                                     \
        position += (position >> 63) & around;                                                  \
        if ((uint64_t)position < size) {                                                        \
          to[k] = from[position * stride];                                                      \
        } else if (wrong == NORMA_ALL_INSIDE) {                                                 \
          wrong = k;                                                                            \
        }                                                                                       \
      }                                                                                         \
    }                                                                                           \
    return wrong;                                                                               \
  }                                                                                             \
  static int64_t LEVEL(gather_lines_##T)(                                                       \
      const norma_indices *p, const int64_t *index, const T *wide, T *narrow, int64_t begin,    \
      int64_t end) {                                                                            \
    const int is_plain = p->index[1] == 1 && p->wide[1] == 1;                                   \
    const int is_far = p->size * (int64_t)sizeof(T) > CACHED;                                   \
    int64_t o = begin / p->count, first = begin % p->count;                                     \
    for (int64_t row = begin; row < end; o++, first = 0) {                                      \
      const int64_t rest = end - row, last = p->count - first < rest ? p->count : first + rest; \
      const int64_t *at = index + o * p->index[0];                                              \
      const T *from = wide + o * p->wide[0];                                                    \
      T *to = narrow + o * p->count;                                                            \
      const int64_t step = p->index[1], stride = p->wide[1];                                    \
      const int64_t wrong =                                                                     \
          is_plain ? is_far ? LEVEL(gather_line_##T)(p, at, from, to, first, last, 1, 1, AHEAD) \
                            : LEVEL(gather_line_##T)(p, at, from, to, first, last, 1, 1, 0)     \
                   : LEVEL(gather_line_##T)(p, at, from, to, first, last, step, stride, AHEAD); \
      if (wrong != NORMA_ALL_INSIDE) return o * p->count + wrong;                               \
      row += last - first;                                                                      \
    }                                                                                           \
    return NORMA_ALL_INSIDE;                                                                    \
  }

GATHER_LINE(uint8_t)
GATHER_LINE(uint16_t)
GATHER_LINE(uint32_t)
GATHER_LINE(uint64_t)

#define GATHER(T)                                                                              \
  static int64_t LEVEL(gather_##T)(                                                            \
      const norma_indices *p, const int64_t *index, const T *wide, T *narrow, int64_t begin,   \
      int64_t end, int64_t first, int64_t last) {                                              \
    if (p->inner == 1) return LEVEL(gather_lines_##T)(p, index, wide, narrow, begin, end);     \
    int64_t wrong = NORMA_ALL_INSIDE;                                                          \
    int64_t o = begin / p->count, k = begin % p->count;                                        \
    const int64_t stride = p->wide[2];                                                         \
    for (int64_t row = begin; row < end; row++) {                                              \
      const int64_t *at = index + o * p->index[0] + k * p->index[1];                           \
      const T *from = wide + o * p->wide[0];                                                   \
      T *to = narrow + row * p->inner;                                                         \
      if (++k == p->count) k = 0, o++;                                                         \
      if (p->index[2] == 0) {                                                                  \
        const int64_t position = resolved(p, *at);                                             \
        if (!is_inside(p, position)) {                                                         \
          if (wrong == NORMA_ALL_INSIDE) wrong = row * p->inner;                               \
          continue;                                                                            \
        }                                                                                      \
        from += position * p->wide[1];                                                         \
        if (last - first == 1) {                                                               \
          to[first] = from[first * stride];                                                    \
        } else if (stride == 1) {                                                              \
          memcpy(to + first, from + first, (size_t)(last - first) * sizeof(T));                \
        } else {                                                                               \
          for (int64_t i = first; i < last; i++) to[i] = from[i * stride];                     \
        }                                                                                      \
      } else {                                                                                 \
        for (int64_t i = first; i < last; i++) {                                               \
          const int64_t position = resolved(p, at[i * p->index[2]]);                           \
          if (is_inside(p, position)) {                                                        \
            to[i] = from[position * p->wide[1] + i * stride];                                  \
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

// Single elements, as above. Indices outside of `low ..< high` are left to other parts, if they are
// in range.
#define SCATTER_LINE(NAME, S, T, STORE)                                                         \
  INLINE int64_t LEVEL(NAME##_line)(                                                            \
      const norma_indices *p, const int64_t *index, const S *narrow, T *wide, int64_t low,      \
      int64_t high, int64_t step, int64_t pace, int64_t stride, int64_t ahead) {                \
    int64_t wrong = NORMA_ALL_INSIDE;                                                           \
    const int64_t around = p->wraps ? p->size : 0, count = p->count;                            \
    const uint64_t room = (uint64_t)(high - low);                                               \
    const int is_whole = low == 0 && high == p->size;                                           \
    int64_t k = 0;                                                                              \
    while (k < count) {                                                                         \
      int64_t stop = count;                                                                     \
      if (!ahead && is_whole && k + BLOCK <= count) {                                           \
        stop = k + BLOCK;                                                                       \
        if (are_inside(index + k * step, step, room)) {                                         \
          for (; k < stop; k++) {                                                               \
            const S *from = narrow + k * pace;                                                  \
            T *to = wide + index[k * step] * stride;                                            \
            STORE                                                                               \
          }                                                                                     \
          continue;                                                                             \
        }                                                                                       \
      }                                                                                         \
      for (; k < stop; k++) {                                                                   \
        if (ahead && k + ahead < count) {                                                       \
          __builtin_prefetch(wide + (uint64_t)index[(k + ahead) * step] * (uint64_t)stride, 1); \
        }                                                                                       \
        int64_t position = index[k * step];                                                     \
        position += (position >> 63) & around;                                                  \
        if ((uint64_t)position - (uint64_t)low < room) {                                        \
          const S *from = narrow + k * pace;                                                    \
          T *to = wide + position * stride;                                                     \
          STORE                                                                                 \
        } else if (!is_inside(p, position) && wrong == NORMA_ALL_INSIDE) {                      \
          wrong = k;                                                                            \
        }                                                                                       \
      }                                                                                         \
    }                                                                                           \
    return wrong;                                                                               \
  }                                                                                             \
  static int64_t LEVEL(NAME##_lines)(                                                           \
      const norma_indices *p, const int64_t *index, const S *narrow, T *wide,                   \
      const norma_indices_part *part) {                                                         \
    const int64_t step = p->index[1], pace = p->narrow[1], stride = p->wide[1];                 \
    const int64_t low = part->axis[0], high = part->axis[1];                                    \
    const int is_plain = step == 1 && pace == 1 && stride == 1;                                 \
    const int is_far = p->size * (int64_t)sizeof(T) > CACHED;                                   \
    for (int64_t o = part->outer[0]; o < part->outer[1]; o++) {                                 \
      const int64_t *at = index + o * p->index[0];                                              \
      const S *from = narrow + o * p->narrow[0];                                                \
      T *to = wide + o * p->wide[0];                                                            \
      const int64_t wrong =                                                                     \
          is_plain ? is_far ? LEVEL(NAME##_line)(p, at, from, to, low, high, 1, 1, 1, AHEAD)    \
                            : LEVEL(NAME##_line)(p, at, from, to, low, high, 1, 1, 1, 0)        \
                   : LEVEL(NAME##_line)(p, at, from, to, low, high, step, pace, stride, AHEAD); \
      if (wrong != NORMA_ALL_INSIDE) return o * p->count + wrong;                               \
    }                                                                                           \
    return NORMA_ALL_INSIDE;                                                                    \
  }

// Iterates over the narrow side; STORE combines the element at `from` with the one at `to`.
#define SCATTER(NAME, S, T, STORE)                                                             \
  SCATTER_LINE(NAME, S, T, STORE)                                                              \
  static int64_t LEVEL(NAME)(                                                                  \
      const norma_indices *p, const int64_t *index, const S *narrow, T *wide,                  \
      const norma_indices_part *part) {                                                        \
    if (p->inner == 1 && part->inner[0] == 0 && part->inner[1] == 1) {                         \
      return LEVEL(NAME##_lines)(p, index, narrow, wide, part);                                \
    }                                                                                          \
    int64_t wrong = NORMA_ALL_INSIDE;                                                          \
    const int64_t first = part->inner[0], last = part->inner[1];                               \
    const int64_t low = part->axis[0], high = part->axis[1];                                   \
    if (first >= last) return wrong;                                                           \
    for (int64_t o = part->outer[0]; o < part->outer[1]; o++) {                                \
      T *outer = wide + o * p->wide[0];                                                        \
      for (int64_t k = 0; k < p->count; k++) {                                                 \
        const int64_t *at = index + o * p->index[0] + k * p->index[1];                         \
        const S *source = narrow + o * p->narrow[0] + k * p->narrow[1];                        \
        if (p->index[2] == 0 || p->inner == 1) {                                               \
          const int64_t position = resolved(p, *at);                                           \
          if (!is_inside(p, position)) {                                                       \
            if (wrong == NORMA_ALL_INSIDE) wrong = (o * p->count + k) * p->inner;              \
            continue;                                                                          \
          }                                                                                    \
          if (position < low || position >= high) continue;                                    \
          T *target = outer + position * p->wide[1];                                           \
          if (last - first == 1) {                                                             \
            const S *from = source + first * p->narrow[2];                                     \
            T *to = target + first * p->wide[2];                                               \
            STORE                                                                              \
          } else if (p->narrow[2] == 1 && p->wide[2] == 1) {                                   \
            for (int64_t i = first; i < last; i++) {                                           \
              const S *from = source + i;                                                      \
              T *to = target + i;                                                              \
              STORE                                                                            \
            }                                                                                  \
          } else {                                                                             \
            for (int64_t i = first; i < last; i++) {                                           \
              const S *from = source + i * p->narrow[2];                                       \
              T *to = target + i * p->wide[2];                                                 \
              STORE                                                                            \
            }                                                                                  \
          }                                                                                    \
        } else {                                                                               \
          for (int64_t i = first; i < last; i++) {                                             \
            const int64_t position = resolved(p, at[i * p->index[2]]);                         \
            if (!is_inside(p, position)) {                                                     \
              if (wrong == NORMA_ALL_INSIDE) wrong = (o * p->count + k) * p->inner + i;        \
              continue;                                                                        \
            }                                                                                  \
            if (position < low || position >= high) continue;                                  \
            const S *from = source + i * p->narrow[2];                                         \
            T *to = outer + position * p->wide[1] + i * p->wide[2];                            \
            STORE                                                                              \
          }                                                                                    \
        }                                                                                      \
      }                                                                                        \
    }                                                                                          \
    return wrong;                                                                              \
  }

SCATTER(scatter_uint8_t, uint8_t, uint8_t, *to = *from;)
SCATTER(scatter_uint16_t, uint16_t, uint16_t, *to = *from;)
SCATTER(scatter_uint32_t, uint32_t, uint32_t, *to = *from;)
SCATTER(scatter_uint64_t, uint64_t, uint64_t, *to = *from;)

// Without branches, which would be mispredicted: NaN wins.
#define EXTREME(T, IS)                                                                         \
  const T new = *from;                                                                         \
  const T old = *to;                                                                           \
  const T better = new IS old ? new : old;                                                     \
  *to = new != new ? new : better;

#define COMBINE(NAME, S, T, ADD, MULTIPLY)                                                      \
  SCATTER(add_##NAME, S, T, *to = ADD;)                                                         \
  SCATTER(multiply_##NAME, S, T, *to = MULTIPLY;)                                               \
  SCATTER(minimum_##NAME, S, T, EXTREME(T, <))                                                  \
  SCATTER(maximum_##NAME, S, T, EXTREME(T, >))                                                  \
  static int64_t LEVEL(combine_##NAME)(                                                         \
      const norma_indices *p, int reduction, const int64_t *index, const S *narrow, T *wide,    \
      const norma_indices_part *part) {                                                         \
    switch (reduction) {                                                                        \
      case NORMA_COMBINE_ADD: return LEVEL(add_##NAME)(p, index, narrow, wide, part);           \
      case NORMA_COMBINE_MULTIPLY: return LEVEL(multiply_##NAME)(p, index, narrow, wide, part); \
      case NORMA_COMBINE_MIN: return LEVEL(minimum_##NAME)(p, index, narrow, wide, part);       \
      default: return LEVEL(maximum_##NAME)(p, index, narrow, wide, part);                      \
    }                                                                                           \
  }

COMBINE(f32, float, double, *to + (double)*from, *to * (double)*from)
COMBINE(f64, double, double, *to + *from, *to * *from)
// Integers wrap.
COMBINE(
    i64, int64_t, int64_t, (int64_t)((uint64_t)*to + (uint64_t)*from),
    (int64_t)((uint64_t)*to * (uint64_t)*from))
