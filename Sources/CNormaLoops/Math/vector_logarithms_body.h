// Elementwise log, log2 and log10 over contiguous floats; included after vector_tables_body.h,
// under the same rules.

// Infinite, NaN, subnormal, zero and negative numbers take the slow path: -inf for zeros, inf for
// inf, NaN for negative numbers.
#define LOGARITHM_PART(name)                                                                  \
  MATH_INLINE LEVEL(name##_part)(const float *from, float *to) {                              \
    PART_FLOATS x = PART_LOAD(from), y;                                                       \
    PART_INTS bits = (PART_INTS)x;                                                            \
    if (!__builtin_reduce_or((bits < 0x800000) | (bits >= 0x7f800000))) {                     \
      LEVEL(name##_of_normal)(&bits, &y);                                                     \
    } else {                                                                                  \
      PART_INTS subnormal = x < 0x1p-126f;                                                    \
      bits = (PART_INTS)PART_SELECT(subnormal, x * 0x1p23f, x) - (subnormal & (23 << 23));    \
      LEVEL(name##_of_normal)(&bits, &y);                                                     \
      PART_FLOATS special = PART_SELECT(x < 0.0f, PART_ALL(__builtin_nanf("")), x);           \
      special = PART_SELECT(x == 0.0f, PART_ALL(-__builtin_inff()), special);                 \
      y = PART_SELECT((x > 0.0f) & (x < __builtin_inff()), y, special);                       \
    }                                                                                         \
    *(PART_OPERAND *)to = y;                                                                  \
  }                                                                                           \
  PART_LOOP(name)

// x = 2^k m, m from 0.8 to 1.6, and m = c + d, c the center of one of 32 intervals
// (logarithm_tables.h): log x = k log 2 + log c + p + p^2 q(p), p = d / (c log base). Around 1, c
// is 1, and there is no cancellation. The sum of the first two terms has 15 binary places and is
// exact, p is the sum of two floats, and so is the result of both.
//
// `two` and `two_low` are the parts of log 2, `rest` is the error of a tabulated p in units of p,
// and q0 to q3 are the coefficients of q.
#define LOGARITHM(name, two, two_low, rest, q0, q1, q2, q3)                                   \
  MATH_INLINE LEVEL(name##_of_normal)(const PART_INTS *bits, PART_FLOATS *result) {           \
    PART_INTS above = *bits - NORMA_LOG_START, number = above >> 18;                          \
    PART_FLOATS k = __builtin_convertvector(above >> 23, PART_FLOATS);                        \
    PART_FLOATS m = (PART_FLOATS)(*bits - (above & (int)0xff800000));                         \
    PART_FLOATS center, factor, high, low;                                                    \
    LEVEL(look_up)(norma_##name##_table[0], &number, &center);                                \
    LEVEL(look_up)(norma_##name##_table[1], &number, &factor);                                \
    LEVEL(look_up)(norma_##name##_table[2], &number, &high);                                  \
    LEVEL(look_up)(norma_##name##_table[3], &number, &low);                                   \
    PART_FLOATS d = m - center, p = d * factor;                                               \
    PART_FLOATS lost = PART_FMA(d, factor, -p);                                               \
    high = PART_FMA(k, PART_ALL(two), high);                                                  \
    if ((two_low) != 0) low = PART_FMA(k, PART_ALL(two_low), low);                            \
    PART_FLOATS q = PART_FMA(p, PART_ALL(q3), PART_ALL(q2));                                  \
    q = PART_FMA(q, p, PART_ALL(q1));                                                         \
    q = PART_FMA(p, PART_ALL(q0), PART_FMA(p * p, q, PART_ALL(rest)));                        \
    PART_FLOATS sum = high + p;                                                               \
    *result = sum + PART_FMA(q, p, (p - (sum - high)) + (lost + low));                        \
  }

// k ln 2 + log(1 + f), 1 + f from root(1/2) to root(2): log(1 + f) = f + f^2 (f p(f) - 1/2), with
// the p of composed_log. Worst error: 0.8756 at 1.2743293 (0x1.463a72p+0).
MATH_INLINE LEVEL(log_of_normal)(const PART_INTS *bits, PART_FLOATS *result) {
  PART_INTS above = *bits - 0x3f3504f3;
  PART_FLOATS k = __builtin_convertvector(above >> 23, PART_FLOATS);
  PART_FLOATS f = (PART_FLOATS)(*bits - (above & (int)0xff800000)) - 1.0f;
  PART_FLOATS p = PART_FMA(f, PART_ALL(-0x1.38b59p-4f), PART_ALL(0x1.055b6ep-3f));
  p = PART_FMA(p, f, PART_ALL(-0x1.0d854p-3f));
  p = PART_FMA(p, f, PART_ALL(0x1.22da1cp-3f));
  p = PART_FMA(p, f, PART_ALL(-0x1.547244p-3f));
  p = PART_FMA(p, f, PART_ALL(0x1.99a008p-3f));
  p = PART_FMA(p, f, PART_ALL(-0x1.000226p-2f));
  p = PART_FMA(p, f, PART_ALL(0x1.555554p-2f));
  p = PART_FMA(p, f, PART_ALL(-0.5f));
  // The sum of the two large parts, and its rounding error.
  PART_FLOATS large = k * MATH_LN2_HIGH, sum = large + f, lost = f - (sum - large);
  *result = sum + PART_FMA(f * f, p, PART_FMA(k, PART_ALL(MATH_LN2_LOW), lost));
}

// Worst errors: 0.5114 at 1.01794863 (0x1.049848p+0) and 0.5118 at 1.01641428 (0x1.0433bap+0).
LOGARITHM(
    log2, 0x1p0f, 0.0f, 0x1.306a26p-15f, -0x1.62eac8p-2f, 0x1.480664p-3f, -0x1.551f4cp-4f,
    0x1.7a55b8p-5f)
LOGARITHM(
    log10, 0x1.344p-2f, 0x1.3509f8p-18f, 0x1.937822p-14f, -0x1.26c9ap0f, 0x1.c48f28p0f,
    -0x1.86df4cp1f, 0x1.680ba4p2f)

LOGARITHM_PART(log)
LOGARITHM_PART(log2)
LOGARITHM_PART(log10)
