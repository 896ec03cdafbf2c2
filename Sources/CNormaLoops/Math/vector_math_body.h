// Elementwise exp2, expm1, sigmoid, log1p and erf over contiguous floats. Included once for each
// instruction-set level, inside that level's target attribute, with LEVEL(name) appending the level
// to a name. Functions that need tables or fused multiply-adds follow after vector_tables_body.h,
// those computed in double are in the files whose names begin with wide.
//
// The same bits on every level: only additions, multiplications, divisions, conversions, integer
// operations and selections, each rounded by itself. No fused multiply-add, because the baseline
// has none, and no approximate instructions. A result depends only on its own input, not on its
// position: the tail goes through the same vector code in a padded copy.
//
// The coefficients are our own minimax fits (Tools/fit-vector-math.py). The errors are the worst
// over all 2^32 floats against libm in double (Tools/check-vector-math.c), in units of the last
// place.

#define MATH_FLOATS LEVEL(math_floats)
#define MATH_INTS LEVEL(math_ints)
#define MATH_OPERAND LEVEL(math_operand)
// Vectors are passed by pointer: passed by value they would have a different ABI on each level.
#define MATH_INLINE static inline __attribute__((always_inline)) void

typedef float MATH_FLOATS __attribute__((vector_size(4 * MATH_LANES)));
typedef int MATH_INTS __attribute__((vector_size(4 * MATH_LANES)));
// Only operands may be unaligned: unaligned variables take three times as long in a debug build,
// where each of them is on the stack.
typedef float MATH_OPERAND __attribute__((vector_size(4 * MATH_LANES), aligned(4)));

#define MATH_SPLAT(v) ((v) - (MATH_FLOATS){0})
#define MATH_SELECT(mask, yes, no) \
  ((MATH_FLOATS)(((MATH_INTS)(yes) & (mask)) | ((MATH_INTS)(no) & ~(mask))))
#define MATH_SIGN(x) ((MATH_INTS)(x) & (int)0x80000000)
#define MATH_SIZE(x) ((MATH_FLOATS)((MATH_INTS)(x) & 0x7fffffff))
#define MATH_WITH_SIGN(x, sign) ((MATH_FLOATS)((MATH_INTS)(x) | (sign)))
// 2^n for integer n from -126 to 127: only the exponent field, which is never a NaN for any n.
#define MATH_POWER_OF_2(n) ((MATH_FLOATS)(((n) + 127) << 23))
// Whether any lane exceeds a bound, or is NaN: other vectors skip the code for these cases.
#define MATH_ANY_BEYOND(x, bound) __builtin_reduce_or(~(MATH_SIZE(x) <= (bound)))
// 2^n y if it is normal, as y is: n is added to the exponent.
#define MATH_TIMES_POWER_OF_2(y, n) ((MATH_FLOATS)((MATH_INTS)(y) + ((n) << 23)))
// Adding 1.5 * 2^23 leaves an integer in the low bits of the sum, rounded to nearest.
#define MATH_TO_INTEGER 0x1.8p23f
#define MATH_TO_INTEGER_BITS 0x4b400000
// ln 2 in two parts. The high one has 15 bits, so its product with an exponent is exact.
#define MATH_LN2_HIGH 0x1.62e4p-1f
#define MATH_LN2_LOW 0x1.7f7d1cp-20f

#define MATH_LOOP(name)                                                                    \
  void LEVEL(norma_##name##_f32)(size_t n, const void *const *operands, void *out) {       \
    const float *x = operands[0];                                                          \
    float *y = out, padded[MATH_LANES] = {0};                                              \
    for (size_t i = 0; i < n; i += MATH_LANES) {                                           \
      const size_t rest = n - i;                                                           \
      const int whole = rest >= MATH_LANES;                                                \
      if (!whole) __builtin_memcpy(padded, x + i, rest * sizeof(float));                   \
      LEVEL(name##_lanes)(whole ? x + i : padded, whole ? y + i : padded);                 \
      if (!whole) __builtin_memcpy(y + i, padded, rest * sizeof(float));                   \
    }                                                                                      \
  }

// n and high + rest with e^x = 2^n (1 + high + rest), |high + rest| < 0.42. high is x - n ln 2
// except for the low half of ln 2, which is in the rest, so that significant digits are not
// rounded.
MATH_INLINE LEVEL(reduced_exp)(
    const MATH_FLOATS *x, MATH_INTS *n, MATH_FLOATS *high, MATH_FLOATS *rest) {
  MATH_FLOATS shifted = *x * 0x1.715476p0f + MATH_TO_INTEGER;
  MATH_FLOATS whole = shifted - MATH_TO_INTEGER;
  MATH_FLOATS large = *x - whole * MATH_LN2_HIGH;
  MATH_FLOATS small = whole * MATH_LN2_LOW;
  MATH_FLOATS r = large - small;
  MATH_FLOATS p = r * 0x1.6ac74ep-10f + 0x1.123dep-7f;
  p = p * r + 0x1.555858p-5f;
  p = p * r + 0x1.55548cp-3f;
  p = p * r + 0x1.fffffcp-2f;
  *n = (MATH_INTS)shifted - MATH_TO_INTEGER_BITS;
  *high = large;
  *rest = r * r * p - small;
}

// 2^n y, for n from -150 to 128 and y from 0.7 to 1.5. In two steps, because 2^n itself may be out
// of range; only the second one may round.
MATH_INLINE LEVEL(scaled)(const MATH_FLOATS *y, const MATH_INTS *n, MATH_FLOATS *result) {
  MATH_INTS half = *n >> 1;
  *result = *y * MATH_POWER_OF_2(half) * MATH_POWER_OF_2(*n - half);
}

// e^x for any x: 2^n e^r, n = x / ln 2 to the nearest integer, e^r = 1 + r + r^2 p(r).
MATH_INLINE LEVEL(far_exp)(const MATH_FLOATS *from, MATH_FLOATS *to) {
  MATH_FLOATS x = *from, high, rest;
  MATH_INTS n;
  // Beyond these the result is 0 or infinity in any case; a NaN fails both comparisons and
  // propagates.
  x = MATH_SELECT(x > 89.0f, MATH_SPLAT(89.0f), x);
  x = MATH_SELECT(x < -104.0f, MATH_SPLAT(-104.0f), x);
  LEVEL(reduced_exp)(&x, &n, &high, &rest);
  MATH_FLOATS y = 1.0f + (high + rest);
  LEVEL(scaled)(&y, &n, to);
}

// e^x - 1 = (2^n - 1) + 2^n (high + rest): the two large parts are added together with the rounding
// error of their sum. Worst error: 1.1621 at 0.347691417 (0x1.640938p-2).
MATH_INLINE LEVEL(expm1_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, high, rest;
  MATH_INTS sign = MATH_SIGN(x), n;
  x = MATH_SELECT(x > 89.0f, MATH_SPLAT(89.0f), x);
  x = MATH_SELECT(x < -17.5f, MATH_SPLAT(-17.5f), x);
  LEVEL(reduced_exp)(&x, &n, &high, &rest);
  // 2^128 is out of range: there everything is halved, and it does not matter whether 1 or 1/2 is
  // subtracted.
  MATH_INTS over = n > 127;
  MATH_FLOATS power = MATH_POWER_OF_2(n + over);
  MATH_FLOATS less = power - 1.0f;
  MATH_FLOATS part = power * high;
  MATH_FLOATS sum = less + part;
  MATH_FLOATS lost = part - (sum - less);
  MATH_FLOATS y = (sum + (lost + power * rest)) * MATH_POWER_OF_2(-over);
  // The result has the sign of x, even if it is zero.
  *(MATH_OPERAND *)to = MATH_WITH_SIGN(y, sign);
}

// 1 / (1 + e^-x), e^-x = 2^n (1 + high + rest); of the two powers of 2 in the divisor the larger
// one is added last. Worst error: 1.9991 at -0.0003449918 (-0x1.69c008p-12).
MATH_INLINE LEVEL(sigmoid_lanes)(const float *from, float *to) {
  MATH_FLOATS x = -*(const MATH_OPERAND *)from, high, rest, one = MATH_SPLAT(1.0f), power;
  MATH_INTS n;
  if (MATH_ANY_BEYOND(x, 86.0f)) {
    // Beyond these the result is 1 or 0 in any case; NaN propagates, as in exp.
    x = MATH_SELECT(x > 104.0f, MATH_SPLAT(104.0f), x);
    x = MATH_SELECT(x < -104.0f, MATH_SPLAT(-104.0f), x);
    LEVEL(reduced_exp)(&x, &n, &high, &rest);
    // Everything is scaled by half of n, so that nothing overflows.
    MATH_INTS half = n >> 1;
    one = MATH_POWER_OF_2(-half), power = MATH_POWER_OF_2(n - half);
  } else {
    LEVEL(reduced_exp)(&x, &n, &high, &rest);
    power = MATH_POWER_OF_2(n);
  }
  MATH_FLOATS large = MATH_SELECT(one > power, one, power);
  MATH_FLOATS small = MATH_SELECT(one > power, power, one);
  *(MATH_OPERAND *)to = one / (large + (small + power * (high + rest)));
}

// k ln 2 + log(1 + f) + tail, for f from sqrt(1/2) - 1 to sqrt(2) - 1 and a tail below the
// precision of f; log(1 + f) = f - f^2 / 2 + f^3 p(f).
MATH_INLINE LEVEL(composed_log)(
    const MATH_INTS *k, const MATH_FLOATS *f, const MATH_FLOATS *tail, MATH_FLOATS *result) {
  MATH_FLOATS exponent = __builtin_convertvector(*k, MATH_FLOATS);
  MATH_FLOATS p = *f * -0x1.38b59p-4f + 0x1.055b6ep-3f;
  p = p * *f - 0x1.0d854p-3f;
  p = p * *f + 0x1.22da1cp-3f;
  p = p * *f - 0x1.547244p-3f;
  p = p * *f + 0x1.99a008p-3f;
  p = p * *f - 0x1.000226p-2f;
  p = p * *f + 0x1.555554p-2f;
  MATH_FLOATS square = *f * *f;
  MATH_FLOATS rest = 0.5f * square - square * *f * p;
  // The sum of the two large parts, and its rounding error.
  MATH_FLOATS large = exponent * MATH_LN2_HIGH;
  MATH_FLOATS sum = large + *f;
  MATH_FLOATS lost = *f - (sum - large);
  *result = sum + (lost + *tail + (exponent * MATH_LN2_LOW - rest));
}

// k and f with x = 2^k (1 + f), 1 + f from sqrt(1/2) to sqrt(2), for a normal x. Significands above
// that of sqrt(1/2) carry into the exponent.
MATH_INLINE LEVEL(split)(const MATH_FLOATS *x, MATH_INTS *k, MATH_FLOATS *f) {
  *k = ((MATH_INTS)*x - 0x3f3504f3) >> 23;
  *f = (MATH_FLOATS)((MATH_INTS)*x - (*k << 23)) - 1.0f;
}

// log(1 + x) = log u with the rounding error of u = 1 + x added to f; if k = 0, f is then exactly
// x. log1p(-1) = -inf, log1p(inf) = inf, NaN below -1.
// Worst error: 0.9439 at 0.445414931 (0x1.c81adap-2).
MATH_INLINE LEVEL(log1p_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, f, y;
  MATH_INTS k;
  MATH_FLOATS u = 1.0f + x;
  MATH_FLOATS back = u - 1.0f;
  MATH_FLOATS lost = (1.0f - (u - back)) + (x - back);
  LEVEL(split)(&u, &k, &f);
  // 2^-k; 0 for large k, where the rounding error does not matter and 2^-k may be out of range.
  MATH_FLOATS power = (MATH_FLOATS)((MATH_INTS)MATH_POWER_OF_2(-k) & (k < 64));
  MATH_FLOATS addend = lost * power;
  MATH_FLOATS sum = f + addend;
  MATH_FLOATS tail = addend - (sum - f);
  LEVEL(composed_log)(&k, &sum, &tail, &y);
  // The result has the sign of x, even if it is zero.
  y = MATH_WITH_SIGN(y, MATH_SIGN(x));
  MATH_FLOATS special = MATH_SELECT(x < -1.0f, MATH_SPLAT(__builtin_nanf("")), x);
  special = MATH_SELECT(x == -1.0f, MATH_SPLAT(-__builtin_inff()), special);
  MATH_INTS usual = (x > -1.0f) & (x < __builtin_inff());
  *(MATH_OPERAND *)to = MATH_SELECT(usual, y, special);
}

// 2^r = 1 + r p(r), |r| up to 1/2.
MATH_INLINE LEVEL(exp2_of_rest)(const MATH_FLOATS *rest, MATH_FLOATS *result) {
  MATH_FLOATS r = *rest;
  MATH_FLOATS p = r * 0x1.470bb8p-13f + 0x1.5f72acp-10f;
  p = p * r + 0x1.3b270ep-7f;
  p = p * r + 0x1.c6ae72p-5f;
  p = p * r + 0x1.ebfbe2p-3f;
  p = p * r + 0x1.62e432p-1f;
  *result = 1.0f + r * p;
}

// n and 2^r with y = n + r exactly.
MATH_INLINE LEVEL(split_exp2)(const MATH_FLOATS *y, MATH_INTS *n, MATH_FLOATS *part) {
  MATH_FLOATS shifted = *y + MATH_TO_INTEGER;
  MATH_FLOATS r = *y - (shifted - MATH_TO_INTEGER);
  *n = (MATH_INTS)shifted - MATH_TO_INTEGER_BITS;
  LEVEL(exp2_of_rest)(&r, part);
}

// 2^y for |y| up to 126, or NaN.
MATH_INLINE LEVEL(exp2_within_range)(const MATH_FLOATS *y, MATH_FLOATS *result) {
  MATH_INTS n;
  MATH_FLOATS part;
  LEVEL(split_exp2)(y, &n, &part);
  *result = part * MATH_POWER_OF_2(n);
}

// 2^x = 2^n 2^r, also for results that are out of range or subnormal.
// Worst error: 1.2915 at 0.513294518 (0x1.06ce8ap-1).
MATH_INLINE LEVEL(exp2_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, y;
  MATH_INTS n;
  if (!MATH_ANY_BEYOND(x, 125.0f)) {
    LEVEL(split_exp2)(&x, &n, &y);
    *(MATH_OPERAND *)to = MATH_TIMES_POWER_OF_2(y, n);
    return;
  }
  x = MATH_SELECT(x > 129.0f, MATH_SPLAT(129.0f), x);
  x = MATH_SELECT(x < -151.0f, MATH_SPLAT(-151.0f), x);
  LEVEL(split_exp2)(&x, &n, &y);
  LEVEL(scaled)(&y, &n, &y);
  *(MATH_OPERAND *)to = y;
}

// erf x = x + x p(s), s = x^2, below 0.875; from there 1 - 2^q(|x|), q fitted to log2(erfc).
// Worst error: 1.5349 at 0.88763696 (0x1.c6785ap-1).
MATH_INLINE LEVEL(erf_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, e;
  MATH_FLOATS size = MATH_SIZE(x);
  MATH_FLOATS s = x * x;
  MATH_FLOATS p = s * -0x1.3ba5aap-11f + 0x1.479c18p-8f;
  p = p * s - 0x1.b69b8ep-6f;
  p = p * s + 0x1.ce1b86p-4f;
  p = p * s - 0x1.8126ecp-2f;
  p = p * s + 0x1.06eba6p-3f;
  MATH_FLOATS near = x + x * p;
  // From 3.92 on the result rounds to 1.
  MATH_FLOATS a = MATH_SELECT(size > 3.93f, MATH_SPLAT(3.93f), size);
  MATH_FLOATS q = a * 0x1.2e64dap-12f - 0x1.236492p-8f;
  q = q * a + 0x1.08828p-5f;
  q = q * a - 0x1.34056cp-3f;
  q = q * a - 0x1.d664dap-1f;
  q = q * a - 0x1.a09034p0f;
  q = q * a - 0x1.b4546ep-13f;
  LEVEL(exp2_within_range)(&q, &e);
  *(MATH_OPERAND *)to = MATH_SELECT(size < 0.875f, near, MATH_WITH_SIGN(1.0f - e, MATH_SIGN(x)));
}

MATH_LOOP(expm1)
MATH_LOOP(sigmoid)
MATH_LOOP(log1p)
MATH_LOOP(exp2)
MATH_LOOP(erf)
