// Included once per instruction set with LEVEL defined.

#define WIDE(p) __builtin_convertvector(LOAD(f32h, p), f64v)
#define NARROW(v) __builtin_convertvector(v, f32h)

// `to` may be `from`.
static void LEVEL(scale)(int64_t n, const float *from, double factor, float *to) {
  int64_t j = 0;
  for (; j + 8 <= n; j += 8) STORE(f32h, to + j, NARROW(WIDE(from + j) * factor));
  for (; j < n; j++) to[j] = (float)((double)from[j] * factor);
}

// (g - mean) * y, rounded once.
static void LEVEL(share)(int64_t n, const float *y, const float *g, double mean, float *to) {
  int64_t j = 0;
  for (; j + 8 <= n; j += 8) STORE(f32h, to + j, NARROW((WIDE(g + j) - mean) * WIDE(y + j)));
  for (; j < n; j++) to[j] = (float)(((double)g[j] - mean) * (double)y[j]);
}

// Fills elements from `begin` on with one value. Full vectors, which later vector loads can be
// forwarded from.
static void LEVEL(fill)(int64_t begin, int64_t end, float value, float *to) {
  const i32v indices = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  int64_t j = begin / 16 * 16;
  for (; j + 16 <= end; j += 16) {
    const i32v keeps = indices < (int32_t)(begin - j);
    STORE(f32v, to + j, CHOOSE(f32v, i32v, keeps, LOAD(f32v, to + j), (f32v){0} + value));
  }
  for (j = j < begin ? begin : j; j < end; j++) to[j] = value;
}

#undef WIDE
#undef NARROW
