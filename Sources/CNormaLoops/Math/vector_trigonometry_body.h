// Elementwise sin, cos and tan over contiguous floats; included after wide_math_body.h and
// vector_tables_body.h, under the same rules: the same bits on every level, whatever the size of
// the argument.

#ifndef MATH_LARGE_ANGLE
// 2^23: from here on the product with the quadrant in the fast reduction would be rounded.
#define MATH_LARGE_ANGLE 0x4b000000
#define MATH_INFINITY 0x7f800000
// Up to here the quadrant is computed by one product, and its multiple of pi / 2 is subtracted
// exactly in float.
#define MATH_SMALL_ANGLE 1024.0f

// The first 256 bits of 1 / (2 pi).
static const unsigned long long math_turns[4] = {
    0x28be60db9391054a, 0x7f09d5f47d4d3770, 0x36d8a5664f10e410, 0x7f9458eaf7aef158};
#endif

// Payne and Hanek's reduction: x = m 2^e is m times 2^e / (2 pi) turns, of which the bits before
// the binary point of 2^e / (2 pi) are whole turns; 96 bits after it suffice. x is at least 2^23
// and finite.
static inline void LEVEL(reduce_large)(int bits, int *quadrant, double *r) {
  unsigned e = (unsigned)(bits >> 23) - 150;
  unsigned long long m = (unsigned long long)((bits & 0x7fffff) | 0x800000);
  unsigned word = e / 64, shift = e % 64;
  unsigned __int128 window =
      (unsigned __int128)math_turns[word] << 64 | (unsigned __int128)math_turns[word + 1];
  if (shift) window = window << shift | math_turns[word + 2] >> (64 - shift);
  unsigned __int128 turns = (window >> 32) * m << 32;
  unsigned long long fraction = (unsigned long long)(turns >> 64);
  *quadrant = (int)((fraction + (1ull << 61)) >> 62);
  // The rest of the angle, within an eighth of a turn on either side, times 2 pi / 2^64.
  *r = (double)(long long)(fraction - ((unsigned long long)*quadrant << 62)) *
       0x1.921fb54442d18p-62;
}

// |x| = quadrant pi / 2 + r in double, |r| <= pi / 4.
MATH_INLINE LEVEL(reduced_angle)(
    const MATH_FLOATS *x, MATH_INTS *whole_quadrant, MATH_DOUBLES *rest) {
  MATH_INTS bits = (MATH_INTS)*x & 0x7fffffff;
  MATH_DOUBLES angle = __builtin_convertvector((MATH_FLOATS)bits, MATH_DOUBLES);
  MATH_DOUBLES shifted = angle * 0x1.45f306dc9c883p-1 + 0x1.8p52;
  MATH_DOUBLES whole = shifted - 0x1.8p52;
  // pi / 2 in two parts. The high one has 27 bits, so its product with a quadrant is exact.
  MATH_DOUBLES r = angle - whole * 0x1.921fb54p0 - whole * 0x1.10b4611a62633p-30;
  MATH_INTS quadrant = __builtin_convertvector((MATH_LONGS)shifted, MATH_INTS);
  MATH_INTS large = (bits >= MATH_LARGE_ANGLE) & (bits < MATH_INFINITY);
  if (__builtin_reduce_or(large)) {
    for (int i = 0; i < MATH_LANES; i++) {
      if (!large[i]) continue;
      int lane_quadrant;
      double lane_rest;
      LEVEL(reduce_large)(bits[i], &lane_quadrant, &lane_rest);
      quadrant[i] = lane_quadrant;
      r[i] = lane_rest;
    }
  }
  *whole_quadrant = quadrant;
  *rest = r;
}

// sin(|x| + turn pi / 2), for turn 0 or 1; r is passed on as two floats. sin r = r + r s p(s) and
// cos r = 1 - s / 2 + s^2 p(s), s = r^2.
MATH_INLINE LEVEL(turned_sin)(const MATH_FLOATS *x, int turn, MATH_FLOATS *result) {
  MATH_INTS quadrant;
  MATH_DOUBLES r;
  LEVEL(reduced_angle)(x, &quadrant, &r);
  quadrant += turn;
  MATH_FLOATS high = __builtin_convertvector(r, MATH_FLOATS);
  MATH_FLOATS low = __builtin_convertvector(
      r - __builtin_convertvector(high, MATH_DOUBLES), MATH_FLOATS);
  MATH_FLOATS s = high * high;
  MATH_FLOATS p = s * -0x1.9953fep-13f + 0x1.110778p-7f;
  p = p * s - 0x1.555546p-3f;
  MATH_FLOATS sine = high + (high * (s * p) + low);
  MATH_FLOATS q = s * 0x1.99e80cp-16f - 0x1.6c0c28p-10f;
  q = q * s + 0x1.55554ap-5f;
  MATH_FLOATS cosine = 1.0f - (0.5f * s - (s * s * q - high * low));
  MATH_INTS odd = -(quadrant & 1);
  *result = (MATH_FLOATS)((MATH_INTS)MATH_SELECT(odd, cosine, sine) ^ ((quadrant & 2) << 30));
}

// |x| = quadrant pi / 2 + high + low for |x| up to 1024; the quadrant may include multiples of 4.
MATH_INLINE LEVEL(small_angle)(
    const PART_FLOATS *size, PART_INTS *quadrant, PART_FLOATS *high, PART_FLOATS *low) {
  PART_FLOATS shifted = PART_FMA(*size, PART_ALL(0x1.45f306p-1f), PART_ALL(MATH_TO_INTEGER));
  PART_FLOATS n = shifted - MATH_TO_INTEGER;
  *quadrant = (PART_INTS)shifted;
  // pi / 2 in three parts, the second of 13 bits.
  PART_FLOATS first = PART_FMA(n, PART_ALL(-0x1.921fb6p0f), *size);
  *high = PART_FMA(n, PART_ALL(0x1.778p-25f), first);
  *low = PART_FMA(n, PART_ALL(0x1.778p-25f), first - *high);
  *low = PART_FMA(n, PART_ALL(-0x1.68c234p-39f), *low);
}

// sin(|x| + turn pi / 2) for |x| up to 1024. sin r = r + r s p(s) and cos r = 1 - s / 2 + s^2 p(s),
// s = r^2. If r is so small that the second difference matters, that is exact, too.
MATH_INLINE LEVEL(small_turned_sin)(const PART_FLOATS *size, int turn, PART_FLOATS *result) {
  PART_FLOATS high, low;
  PART_INTS quadrant;
  LEVEL(small_angle)(size, &quadrant, &high, &low);
  quadrant += turn;
  PART_FLOATS s = high * high;
  PART_FLOATS p = PART_FMA(s, PART_ALL(-0x1.9953fep-13f), PART_ALL(0x1.110778p-7f));
  p = PART_FMA(p, s, PART_ALL(-0x1.555546p-3f));
  PART_FLOATS sine = high + PART_FMA(high * s, p, low);
  PART_FLOATS q = PART_FMA(s, PART_ALL(0x1.99e80cp-16f), PART_ALL(-0x1.6c0c28p-10f));
  q = PART_FMA(q, s, PART_ALL(0x1.55554ap-5f));
  PART_FLOATS cosine = 1.0f - PART_FMA(PART_ALL(0.5f), s, PART_FMA(high, low, -(s * s * q)));
  PART_INTS odd = -(quadrant & 1);
  *result = (PART_FLOATS)((PART_INTS)PART_SELECT(odd, cosine, sine) ^ ((quadrant & 2) << 30));
}

// sin(x) with its sign, or cos(x). Vectors with larger angles, infinity or NaN also take the slow
// path.
MATH_INLINE LEVEL(sin_or_cos)(const float *from, int turn, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, y;
  const int sign = turn ? 0 : (int)0x80000000;
  for (int i = 0; i < MATH_LANES; i += PART_LANES) {
    PART_INTS bits = (PART_INTS)PART_LOAD(from + i);
    PART_FLOATS size = (PART_FLOATS)(bits & 0x7fffffff), part;
    LEVEL(small_turned_sin)(&size, turn, &part);
    *(PART_OPERAND *)(to + i) = (PART_FLOATS)((PART_INTS)part ^ (bits & sign));
  }
  if (!MATH_ANY_BEYOND(x, MATH_SMALL_ANGLE)) return;
  LEVEL(turned_sin)(&x, turn, &y);
  y = (MATH_FLOATS)((MATH_INTS)y ^ ((MATH_INTS)x & sign));
  MATH_INTS small = MATH_SIZE(x) <= MATH_SMALL_ANGLE;
  *(MATH_OPERAND *)to = MATH_SELECT(small, *(MATH_OPERAND *)to, y);
}

// sin(-x) = -sin(x), including for zeros. NaN at infinity.
// Worst error: 1.0176 at 9.84454445e+35 (0x1.7b32b4p+119).
MATH_INLINE LEVEL(sin_lanes)(const float *from, float *to) {
  LEVEL(sin_or_cos)(from, 0, to);
}

// NaN at infinity.
// Worst error: 1.0198 at 3.71008566e+18 (0x1.9be6fap+61).
MATH_INLINE LEVEL(cos_lanes)(const float *from, float *to) {
  LEVEL(sin_or_cos)(from, 1, to);
}

// sin r / cos r, or -cos r / sin r in odd quadrants, in double. NaN at infinity.
MATH_INLINE LEVEL(far_tan)(const MATH_FLOATS *from, MATH_FLOATS *to) {
  MATH_FLOATS x = *from;
  MATH_INTS quadrant;
  MATH_DOUBLES r;
  LEVEL(reduced_angle)(&x, &quadrant, &r);
  MATH_DOUBLES z = r * r;
  MATH_DOUBLES p = z * 0x1.6cd8390f84b5cp-19 - 0x1.a00f9d24a19e6p-13;
  p = p * z + 0x1.11110895ac3e2p-7;
  p = p * z - 0x1.5555554cb9117p-3;
  MATH_DOUBLES sine = r + r * (z * p);
  MATH_DOUBLES q = z * -0x1.242abe7334d92p-22 + 0x1.a0111fb6cd315p-16;
  q = q * z - 0x1.6c16b8982386cp-10;
  q = q * z + 0x1.5555554f4dac8p-5;
  MATH_DOUBLES cosine = 1.0 - (0.5 * z - z * z * q);
  MATH_LONGS odd = __builtin_convertvector(-(quadrant & 1), MATH_LONGS);
  MATH_DOUBLES tangent = WIDE_SELECT(odd, -cosine, sine) / WIDE_SELECT(odd, sine, cosine);
  MATH_FLOATS y = __builtin_convertvector(tangent, MATH_FLOATS);
  *to = (MATH_FLOATS)((MATH_INTS)y ^ MATH_SIGN(x));
}

// The same for |x| up to 1024 in floats: tan r = r (1 + s (1/3 + s q(s))), s = r^2, as the sum of
// two floats, inverted in odd quadrants.
MATH_INLINE LEVEL(near_tan_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), r, low;
  PART_FLOATS size = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  PART_INTS quadrant;
  LEVEL(small_angle)(&size, &quadrant, &r, &low);
  PART_FLOATS s = r * r, s_low = PART_FMA(r, r, -s);
  PART_FLOATS q = PART_FMA(s, PART_ALL(0x1.00b1cap-9f), PART_ALL(-0x1.958966p-12f));
  q = PART_FMA(q, s, PART_ALL(0x1.39070ep-8f));
  q = PART_FMA(q, s, PART_ALL(0x1.14dc4ap-7f));
  q = PART_FMA(q, s, PART_ALL(0x1.679bc8p-6f));
  q = PART_FMA(q, s, PART_ALL(0x1.ba0baep-5f));
  q = PART_FMA(q, s, PART_ALL(0x1.111136p-3f));
  PART_FLOATS third = PART_FMA(s, q, PART_ALL(0x1.555556p-2f));
  PART_FLOATS third_low = PART_FMA(s, q, 0x1.555556p-2f - third) - 0x1.555556p-27f;
  PART_FLOATS first = s * third;
  PART_FLOATS rest = PART_FMA(s, third_low, PART_FMA(s, third, -first));
  // Approximately the slope in s.
  rest = PART_FMA(s_low, PART_FMA(s, PART_ALL(0.35f), PART_ALL(0.333f)), rest);
  // The slope of tan is approximately 1 + s (1 + s).
  low = PART_FMA(low, PART_FMA(s, s, s), low);
  PART_FLOATS part = r * first, most = r + part;
  PART_FLOATS small = PART_FMA(r, first, -part) + (((r - most) + part) + PART_FMA(r, rest, low));
  PART_FLOATS tangent = most + small, tangent_low = (most - tangent) + small;
  PART_FLOATS turned = -1.0f / tangent;
  PART_FLOATS lost = PART_FMA(turned, tangent_low, PART_FMA(turned, tangent, PART_ALL(1.0f)));
  turned = PART_FMA(turned, lost, turned);
  PART_FLOATS y = PART_SELECT(-(quadrant & 1), turned, tangent);
  *(PART_OPERAND *)to = (PART_FLOATS)((PART_INTS)y ^ ((PART_INTS)x & (int)0x80000000));
}

// Blocks with a larger angle, or NaN, also take the slow path.
// Worst error: 0.5687 at -0.779635727 (-0x1.8f2c6ap-1).
MATH_INLINE LEVEL(tan_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, y;
  for (int i = 0; i < MATH_LANES; i += PART_LANES) LEVEL(near_tan_part)(from + i, to + i);
  if (!MATH_ANY_BEYOND(x, MATH_SMALL_ANGLE)) return;
  LEVEL(far_tan)(&x, &y);
  MATH_INTS small = MATH_SIZE(x) <= MATH_SMALL_ANGLE;
  *(MATH_OPERAND *)to = MATH_SELECT(small, *(MATH_OPERAND *)to, y);
}

// sin x / x, and 1 at 0. NaN at infinity.
MATH_INLINE LEVEL(sine_ratio_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from;
  float sine[MATH_LANES];
  LEVEL(sin_or_cos)(from, 0, sine);
  MATH_FLOATS ratio = *(const MATH_OPERAND *)sine / x;
  *(MATH_OPERAND *)to = MATH_SELECT(x == 0.0f, MATH_SPLAT(1.0f), ratio);
}

MATH_LOOP(sin)
MATH_LOOP(cos)
MATH_LOOP(tan)
MATH_LOOP(sine_ratio)
