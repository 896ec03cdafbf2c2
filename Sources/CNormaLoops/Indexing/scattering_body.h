// Floats with the same index are added (or multiplied, ...) as doubles, part by part, so that a
// part stays in cache or in registers; included once per instruction set with LEVEL defined.

static void LEVEL(widen)(const float *from, int64_t stride, int64_t count, double *to) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; i++) to[i] = from[i];
  } else {
    for (int64_t i = 0; i < count; i++) to[i] = from[i * stride];
  }
}

static void LEVEL(round_down)(const double *from, int64_t count, float *to) {
  for (int64_t i = 0; i < count; i++) to[i] = (float)from[i];
}

static int64_t LEVEL(scatter_blocks)(
    const norma_indices *p, int reduction, const int64_t *index, const float *narrow,
    const float *start, float *wide, double *room, int64_t blocks, int64_t begin, int64_t end) {
  const int64_t block = p->size * p->inner;
  norma_indices some = *p;
  some.wide[0] = block, some.wide[1] = p->inner, some.wide[2] = 1;
  for (int64_t o = begin; o < end; o += some.outer) {
    some.outer = end - o < blocks ? end - o : blocks;
    for (int64_t n = 0; n < some.outer; n++) {
      const float *from = start + (o + n) * p->wide[0];
      double *to = room + n * block;
      if (p->inner == 1) {
        LEVEL(widen)(from, p->wide[1], block, to);
      } else {
        for (int64_t k = 0; k < p->size; k++) {
          LEVEL(widen)(from + k * p->wide[1], p->wide[2], p->inner, to + k * p->inner);
        }
      }
    }
    const norma_indices_part part = {{0, some.outer}, {0, p->inner}, {0, p->size}};
    const int64_t outside = norma_combine(
        NORMA_F32, &some, reduction, index + o * p->index[0], narrow + o * p->narrow[0], room,
        &part);
    if (outside != NORMA_ALL_INSIDE) return o * p->count * p->inner + outside;
    LEVEL(round_down)(room, some.outer * block, wide + o * block);
  }
  return NORMA_ALL_INSIDE;
}

// Adds to one row the `count` rows whose numbers are in `order`: two vectors of doubles accumulate
// all of them before the next two.
#define WIDE(p) __builtin_convertvector(LOAD(f32h, p), f64v)
#define ROW(name, VECTOR, NUMBER)                                                              \
  static void LEVEL(row_##name)(                                                               \
      const norma_indices *p, const int64_t *order, int64_t count, const float *narrow,        \
      const float *own, float *to) {                                                           \
    const int64_t pitch = p->narrow[1], pace = p->narrow[2], stride = p->wide[2];              \
    int64_t i = 0;                                                                             \
    for (; pace == 1 && stride == 1 && i + 16 <= p->inner; i += 16) {                          \
      f64v a = WIDE(own + i), b = WIDE(own + i + 8);                                           \
      for (int64_t n = 0; n < count; n++) {                                                    \
        const float *from = narrow + order[n] * pitch + i;                                     \
        f64v new = WIDE(from), old = a;                                                        \
        a = VECTOR;                                                                            \
        new = WIDE(from + 8), old = b;                                                         \
        b = VECTOR;                                                                            \
      }                                                                                        \
      STORE(f32h, to + i, __builtin_convertvector(a, f32h));                                   \
      STORE(f32h, to + i + 8, __builtin_convertvector(b, f32h));                               \
    }                                                                                          \
    for (; i < p->inner; i++) {                                                                \
      double old = own[i * stride];                                                            \
      for (int64_t n = 0; n < count; n++) {                                                    \
        const double new = narrow[order[n] * pitch + i * pace];                                \
        old = NUMBER;                                                                          \
      }                                                                                        \
      to[i] = (float)old;                                                                      \
    }                                                                                          \
  }
ROW(sum, old + new, old + new)
ROW(product, old *new, old *new)
ROW(minimum, CHOOSE(f64v, i64v, (new != new) | (new < old), new, old),
    new != new || new < old ? new : old)
ROW(maximum, CHOOSE(f64v, i64v, (new != new) | (new > old), new, old),
    new != new || new > old ? new : old)

static void LEVEL(scatter_sorted)(
    const norma_indices *p, int reduction, const int64_t *starts, const int64_t *order,
    const float *narrow, const float *start, float *wide, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; t++) {
    const float *own = start + t * p->wide[1];
    float *to = wide + t * p->inner;
    const int64_t *from = order + starts[t], count = starts[t + 1] - starts[t];
    if (count == 0 && p->wide[2] == 1) {
      memcpy(to, own, (size_t)p->inner * sizeof *to);
      continue;
    }
    switch (reduction) {
      case NORMA_COMBINE_ADD: LEVEL(row_sum)(p, from, count, narrow, own, to); break;
      case NORMA_COMBINE_MULTIPLY: LEVEL(row_product)(p, from, count, narrow, own, to); break;
      case NORMA_COMBINE_MIN: LEVEL(row_minimum)(p, from, count, narrow, own, to); break;
      default: LEVEL(row_maximum)(p, from, count, narrow, own, to);
    }
  }
}
