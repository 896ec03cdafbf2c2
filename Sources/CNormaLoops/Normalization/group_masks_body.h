// Values that count or not; included once per instruction set with LEVEL defined. Masks are bytes, 0 or 1.

// All bits of a lane where the mask holds.
#define HOLDS(at) (-__builtin_convertvector(LOAD(u8x8, mask + (at)), i64v))
#define KEPT(v, at) ((f64v)((i64v)(v) & HOLDS(at)))
#define WIDE(at) __builtin_convertvector(LOAD(f32h, x + (at)), f64v)

static double LEVEL(lane_sum)(const double *lanes) {
  double t[8];
  for (int k = 0; k < 8; k++) t[k] = lanes[k];
  for (int w = 4; w; w /= 2) {
    for (int k = 0; k < w; k++) t[k] += t[k + w];
  }
  return t[0];
}

// How many values count, and their sum.
static int64_t LEVEL(masked_sum)(int64_t n, const float *x, const uint8_t *mask, double *sum) {
  f64v s0 = {0}, s1 = {0};
  i64v count = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 += KEPT(WIDE(i), i), s1 += KEPT(WIDE(i + 8), i + 8);
    count -= HOLDS(i) + HOLDS(i + 8);
  }
  double lanes[8];
  STORE(f64v, lanes, s0 + s1);
  int64_t total = 0;
  for (int k = 0; k < 8; k++) total += count[k];
  for (int k = 0; i < n; i++, k = (k + 1) & 7) {
    if (mask[i]) lanes[k] += (double)x[i], total++;
  }
  *sum = LEVEL(lane_sum)(lanes);
  return total;
}

// Sums of squared distances of those that count from about their mean, less what its rounding leaves.
static double LEVEL(masked_squares)(
    int64_t n, const float *x, const uint8_t *mask, double mean, double count) {
  f64v q = {0}, c = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const f64v u = KEPT(WIDE(i) - mean, i);
    q += u * u, c += u;
  }
  double squares[8], rest[8];
  STORE(f64v, squares, q), STORE(f64v, rest, c);
  for (int k = 0; i < n; i++, k++) {
    if (!mask[i]) continue;
    const double u = (double)x[i] - mean;
    squares[k] += u * u, rest[k] += u;
  }
  const double lost = LEVEL(lane_sum)(rest);
  const double m2 = LEVEL(lane_sum)(squares) - lost * lost / count;
  return m2 < 0 ? 0 : m2;
}

// x where the mask holds, 0 elsewhere; `out` may be `x`.
static void LEVEL(masked_copy)(int64_t n, const float *x, const uint8_t *mask, float *out) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const i32v holds = -__builtin_convertvector(LOAD(u8x16, mask + i), i32v);
    STORE(i32v, out + i, LOAD(i32v, x + i) & holds);
  }
  for (; i < n; i++) out[i] = mask[i] ? x[i] : 0;
}

static const norma_group_masks LEVEL(group_masks) = {
    LEVEL(masked_sum), LEVEL(masked_squares), LEVEL(masked_copy)};

#undef HOLDS
#undef KEPT
#undef WIDE
