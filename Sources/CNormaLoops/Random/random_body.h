// Included by random.c once for each instruction set, with LEVEL naming it.

static void LEVEL(extend)(uint32_t *words, size_t blocks) {
  // A word depends on words 624, 623 and 227 positions earlier, so 16 can be computed at a time.
  for (uint32_t *w = words, *end = words + NORMA_RANDOM_BLOCK * blocks; w < end; w += 16) {
    u32v next = LOAD(u32v, w + 1);
    u32v y = (LOAD(u32v, w) & 0x80000000u) | (next & 0x7fffffffu);
    STORE(u32v, w + 624, LOAD(u32v, w + 397) ^ (y >> 1) ^ (-(next & 1u) & 0x9908b0dfu));
  }
}

static void LEVEL(temper)(const uint32_t *words, uint32_t *out, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    u32v y = LOAD(u32v, words + i);
    TEMPER(y);
    STORE(u32v, out + i, y);
  }
  for (; i < count; i++) {
    uint32_t y = words[i];
    TEMPER(y);
    out[i] = y;
  }
}

static void LEVEL(unit32)(const uint32_t *words, float *out, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    u32v y = LOAD(u32v, words + i);
    TEMPER(y);
    STORE(f32v, out + i, __builtin_convertvector((i32v)(y & 0xffffffu), f32v) * 0x1p-24f);
  }
  for (; i < count; i++) {
    uint32_t y = words[i];
    TEMPER(y);
    out[i] = (float)(int32_t)(y & 0xffffffu) * 0x1p-24f;
  }
}

static void LEVEL(unit64)(const uint32_t *words, double *out, size_t count) {
  const uint64_t low53 = (1ull << 53) - 1;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    u32v y = LOAD(u32v, words + 2 * i);
    TEMPER(y);
    u64v pair = (u64v)y;  // The first word lies in the low half and belongs into the high one.
    pair = (pair << 32 | pair >> 32) & low53;
    STORE(f64v, out + i, __builtin_convertvector((i64v)pair, f64v) * 0x1p-53);
  }
  for (; i < count; i++) {
    uint32_t high = words[2 * i], low = words[2 * i + 1];
    TEMPER(high);
    TEMPER(low);
    out[i] = (double)(int64_t)(((uint64_t)high << 32 | low) & low53) * 0x1p-53;
  }
}

static void LEVEL(scale32)(float *values, size_t count, float from, float to) {
  const float span = to - from;
  const f32v spans = span - (f32v){0}, froms = from - (f32v){0};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    f32v y = FMA(LOAD(f32v, values + i), spans, froms);
    i32v closed = y == to;
    STORE(f32v, values + i, CHOOSE(f32v, i32v, closed, froms, y));
  }
  for (; i < count; i++) {
    float y = FMA(values[i], span, from);
    values[i] = y == to ? from : y;
  }
}

static void LEVEL(scale64)(double *values, size_t count, double from, double to) {
  const double span = to - from;
  for (size_t i = 0; i < count; i++) {
    double y = FMA(values[i], span, from);
    values[i] = y == to ? from : y;
  }
}

// Two groups at a time: 16 radii, 16 angles. The polynomials and their order are PyTorch's, which
// are from Cephes; PyTorch has them for 8 lanes.
static void LEVEL(normal32_two)(float *values, f32v *means, f32v *stds) {
  const f32v zero = {0};
  f32v a = LOAD(f32v, values), b = LOAD(f32v, values + 16);
  f32v u1 = 1.0f - __builtin_shufflevector(
                         a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  f32v u2 = __builtin_shufflevector(
      a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);

  // log(u1), where 2^-24 <= u1 <= 1.
  i32v bits = (i32v)u1;
  f32v e = __builtin_convertvector((bits >> 23) - 127, f32v) + 1.0f;
  f32v m = (f32v)((bits & 0x007fffff) | 0x3f000000);
  i32v below = m < 0.707106781186547524f;
  f32v x = m - 1.0f + (f32v)((i32v)m & below);
  e -= (f32v)((i32v)(zero + 1.0f) & below);
  f32v z = x * x, y = zero + 7.0376836292e-2f;
  y = FMA(y, x, zero - 1.1514610310e-1f);
  y = FMA(y, x, zero + 1.1676998740e-1f);
  y = FMA(y, x, zero - 1.2420140846e-1f);
  y = FMA(y, x, zero + 1.4249322787e-1f);
  y = FMA(y, x, zero - 1.6668057665e-1f);
  y = FMA(y, x, zero + 2.0000714765e-1f);
  y = FMA(y, x, zero - 2.4999993993e-1f);
  y = FMA(y, x, zero + 3.3333331174e-1f);
  y = y * x;
  y = FMA(y, z, e * -2.12194440e-4f);
  y = FMA(-z, zero + 0.5f, y);
  x = x + y;
  f32v radius = __builtin_elementwise_sqrt(-2.0f * FMA(e, zero + 0.693359375f, x));

  // sin and cos of t, where 0 <= t < 2 pi: j counts octants, to even.
  f32v t = 6.2831853071795864769f * u2;
  i32v j = (__builtin_convertvector(t * 1.27323954473516f, i32v) + 1) & ~1;
  y = __builtin_convertvector(j, f32v);
  x = FMA(y, zero - 0.78515625f, t);
  x = FMA(y, zero - 2.4187564849853515625e-4f, x);
  x = FMA(y, zero - 3.77489497744594108e-8f, x);
  z = x * x;
  f32v c = FMA(zero + 2.443315711809948e-5f, z, zero - 1.388731625493765e-3f);
  c = FMA(c, z, zero + 4.166664568298827e-2f);
  c = FMA(z, z * c, -(z * 0.5f)) + 1.0f;
  f32v s = FMA(zero - 1.9515295891e-4f, z, zero + 8.3321608736e-3f);
  s = FMA(s, z, zero - 1.6666654611e-1f);
  s = FMA(z * s, x, x);
  i32v swap = (j & 2) != 0;
  i32v sine = CHOOSE(i32v, i32v, swap, c, s);
  i32v cosine = CHOOSE(i32v, i32v, swap, s, c);
  sine ^= (j & 4) << 29;
  cosine ^= (~(j - 2) & 4) << 29;

  a = FMA(radius * (f32v)cosine, *stds, *means);
  b = FMA(radius * (f32v)sine, *stds, *means);
  STORE(f32v, values, __builtin_shufflevector(
      a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
  STORE(f32v, values + 16, __builtin_shufflevector(
      a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
}

static void LEVEL(normal32)(float *values, size_t groups, float mean, float std) {
  f32v means = mean - (f32v){0}, stds = std - (f32v){0};
  for (; groups >= 2; groups -= 2, values += 32) LEVEL(normal32_two)(values, &means, &stds);
  if (groups) {
    float two[32] = {0};
    __builtin_memcpy(two, values, 64);
    LEVEL(normal32_two)(two, &means, &stds);
    __builtin_memcpy(values, two, 64);
  }
}

static const norma_random_loops LEVEL(loops) = {
    .extend = LEVEL(extend),
    .temper = LEVEL(temper),
    .unit32 = LEVEL(unit32),
    .unit64 = LEVEL(unit64),
    .scale32 = LEVEL(scale32),
    .scale64 = LEVEL(scale64),
    .normal32 = LEVEL(normal32),
};
