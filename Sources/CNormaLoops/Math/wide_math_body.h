// Elementwise functions of floats that are computed in double and rounded once; included after
// vector_math_body.h, under the same rules.
//
// A few more terms than a float needs, and no compensation of rounding errors: all errors are below
// 0.52 ulp (Tools/check-vector-math.c), and a result beyond the range of float rounds to infinity,
// to zero or to a subnormal number by itself.

#define MATH_DOUBLES LEVEL(math_doubles)
#define MATH_LONGS LEVEL(math_longs)
typedef double MATH_DOUBLES __attribute__((vector_size(8 * MATH_LANES)));
typedef long long MATH_LONGS __attribute__((vector_size(8 * MATH_LANES)));

#define WIDE(v) ((MATH_DOUBLES){0} + (v))
#define WIDE_SELECT(mask, yes, no) \
  ((MATH_DOUBLES)(((MATH_LONGS)(yes) & (MATH_LONGS)(mask)) | \
                  ((MATH_LONGS)(no) & ~(MATH_LONGS)(mask))))
#define WIDE_SIZE(x) ((MATH_DOUBLES)((MATH_LONGS)(x) & 0x7fffffffffffffffll))
// Adding 1.5 * 2^52 leaves an integer in the low bits of the sum, rounded to nearest.
#define WIDE_TO_INTEGER 0x1.8p52
#define WIDE_TO_INTEGER_BITS 0x4338000000000000ll
#define WIDE_LOG2_E 0x1.71547652b82fep0
#define WIDE_PI 0x1.921fb54442d18p1

#define WIDE_LOAD(from) __builtin_convertvector(*(const MATH_OPERAND *)(from), MATH_DOUBLES)
// A result with the bits of `sign` added.
#define WIDE_STORE(to, y, sign)                                                               \
  *(MATH_OPERAND *)(to) =                                                                     \
      (MATH_FLOATS)((MATH_INTS)__builtin_convertvector((y), MATH_FLOATS) | (sign))

// Long polynomials are split into even and odd powers, which halves the chain of dependent steps.

// 2^y = 2^n 2^r, 2^r = 1 + r p(r); |y| above 1000 counts as 1000.
MATH_INLINE LEVEL(wide_exp2)(const MATH_DOUBLES *y, MATH_DOUBLES *result) {
  MATH_DOUBLES e = WIDE_SELECT(*y > 1000.0, WIDE(1000.0), *y);
  e = WIDE_SELECT(e < -1000.0, WIDE(-1000.0), e);
  MATH_DOUBLES shifted = e + WIDE_TO_INTEGER;
  MATH_DOUBLES r = e - (shifted - WIDE_TO_INTEGER);
  MATH_LONGS n = (MATH_LONGS)shifted - WIDE_TO_INTEGER_BITS;
  MATH_DOUBLES z = r * r;
  MATH_DOUBLES even = z * 0x1.00ee231c1a200p-16 + 0x1.5d87294889b5bp-10;
  even = even * z + 0x1.c6b08defeb082p-5;
  even = even * z + 0x1.62e42fef7a673p-1;
  MATH_DOUBLES odd = z * 0x1.6634ec362b733p-20 + 0x1.4306c0926663dp-13;
  odd = odd * z + 0x1.3b2ab7f40552bp-7;
  odd = odd * z + 0x1.ebfbdff7c57a3p-3;
  *result = (1.0 + r * (even + r * odd)) * (MATH_DOUBLES)((n + 1023) << 52);
}

// k ln 2 + log(1 + f), log(1 + f) = 2 s + s z p(z) for s = f / (2 + f), z = s^2. x is never
// subnormal, because no float is subnormal in double. -inf at zero, inf at inf, NaN below zero.
MATH_INLINE LEVEL(wide_log)(const MATH_DOUBLES *x, MATH_DOUBLES *result) {
  MATH_LONGS bits = (MATH_LONGS)*x;
  MATH_LONGS k = (bits - 0x3fe6a09e667f3bcdll) >> 52;
  MATH_DOUBLES f = (MATH_DOUBLES)(bits - (k << 52)) - 1.0;
  MATH_DOUBLES exponent = (MATH_DOUBLES)(k + WIDE_TO_INTEGER_BITS) - WIDE_TO_INTEGER;
  MATH_DOUBLES s = f / (2.0 + f);
  MATH_DOUBLES z = s * s;
  MATH_DOUBLES p = z * 0x1.91159f91b199cp-3 + 0x1.c62b136fb0bfdp-3;
  p = p * z + 0x1.249411f20bb49p-2;
  p = p * z + 0x1.999996a940a95p-2;
  p = p * z + 0x1.555555561e46fp-1;
  MATH_DOUBLES y = exponent * 0x1.62e42fefa39efp-1 + (2.0 * s + s * (z * p));
  MATH_DOUBLES special = WIDE_SELECT(*x < 0.0, WIDE(__builtin_nan("")), *x);
  special = WIDE_SELECT(*x == 0.0, WIDE(-__builtin_inf()), special);
  *result = WIDE_SELECT((*x > 0.0) & (*x < __builtin_inf()), y, special);
}

// The angle of a point, 0 to pi / 2, from its height and width, which are not negative and neither
// both zero nor both infinite: rotated by pi / 4 or pi / 2 if it is steep, then t + t z p(z).
MATH_INLINE LEVEL(wide_angle)(
    const MATH_DOUBLES *height, const MATH_DOUBLES *width, MATH_DOUBLES *result) {
  MATH_LONGS middle = (MATH_LONGS)(*height > *width * 0x1.a827999fcef32p-2);
  MATH_LONGS steep = (MATH_LONGS)(*height > *width * 0x1.3504f333f9de6p1);
  MATH_DOUBLES up = WIDE_SELECT(middle, *height - *width, *height);
  MATH_DOUBLES across = WIDE_SELECT(middle, *height + *width, *width);
  MATH_DOUBLES turned = WIDE_SELECT(middle, WIDE(WIDE_PI / 4), WIDE(0.0));
  MATH_DOUBLES t = WIDE_SELECT(steep, -*width, up) / WIDE_SELECT(steep, *height, across);
  MATH_DOUBLES z = t * t;
  MATH_DOUBLES p = z * -0x1.36cc68fd7a940p-5 + 0x1.1e6667f69153fp-4;
  p = p * z - 0x1.7085453075196p-4;
  p = p * z + 0x1.c6d23c3dac80dp-4;
  p = p * z - 0x1.2490c585b4dc1p-3;
  p = p * z + 0x1.9999920e4b528p-3;
  p = p * z - 0x1.5555554ef532ep-2;
  *result = WIDE_SELECT(steep, WIDE(WIDE_PI / 2), turned) + (t + t * (z * p));
}

// asin |x| = r + r z p(z) with r = |x| up to 1/2; from there pi / 2 - 2 asin r, r^2 = (1 -
// |x|) / 2.
MATH_INLINE LEVEL(wide_asin)(
    const MATH_DOUBLES *size, MATH_LONGS *large, MATH_DOUBLES *result) {
  *large = (MATH_LONGS)(*size > 0.5);
  MATH_DOUBLES z = WIDE_SELECT(*large, 0.5 * (1.0 - *size), *size * *size);
  MATH_DOUBLES root = __builtin_elementwise_sqrt(z);
  MATH_DOUBLES p = z * 0x1.0ddf3a78990d0p-5 + 0x1.fe61bfea4181ap-10;
  p = p * z + 0x1.527cac0d4a3ffp-6;
  p = p * z + 0x1.6633a3426093ep-6;
  p = p * z + 0x1.f28379773dceep-6;
  p = p * z + 0x1.6db24e62c6be8p-5;
  p = p * z + 0x1.333340bd3ae99p-4;
  p = p * z + 0x1.555555479ab21p-3;
  *result = root + root * (z * p);
}

// e^|x|, |x| up to 100: beyond that, results computed from it are infinite in float.
MATH_INLINE LEVEL(wide_growth)(const MATH_DOUBLES *size, MATH_DOUBLES *result) {
  MATH_DOUBLES power = WIDE_SELECT(*size > 100.0, WIDE(100.0), *size) * WIDE_LOG2_E;
  LEVEL(wide_exp2)(&power, result);
}

// (e^|x| - e^-|x|) / 2, and x + x z p(z), z = x^2, below 1.
MATH_INLINE LEVEL(sinh_lanes)(const float *from, float *to) {
  MATH_INTS sign = MATH_SIGN(*(const MATH_OPERAND *)from);
  MATH_DOUBLES size = WIDE_SIZE(WIDE_LOAD(from)), e;
  LEVEL(wide_growth)(&size, &e);
  MATH_DOUBLES z = size * size;
  MATH_DOUBLES p = z * 0x1.b69b7417e8400p-26 + 0x1.71cc228c42d48p-19;
  p = p * z + 0x1.a01a25bfa9933p-13;
  p = p * z + 0x1.111110f19bf58p-7;
  p = p * z + 0x1.5555555578e8dp-3;
  WIDE_STORE(to, WIDE_SELECT(size < 1.0, size + size * (z * p), 0.5 * (e - 1.0 / e)), sign);
}

MATH_INLINE LEVEL(cosh_lanes)(const float *from, float *to) {
  MATH_DOUBLES size = WIDE_SIZE(WIDE_LOAD(from)), e;
  LEVEL(wide_growth)(&size, &e);
  WIDE_STORE(to, 0.5 * (e + 1.0 / e), 0);
}

// log(|x| + root(x^2 + 1)), and two terms of the series below 2^-8.
MATH_INLINE LEVEL(asinh_lanes)(const float *from, float *to) {
  MATH_INTS sign = MATH_SIGN(*(const MATH_OPERAND *)from);
  MATH_DOUBLES size = WIDE_SIZE(WIDE_LOAD(from)), z = size * size, y;
  MATH_DOUBLES sum = size + __builtin_elementwise_sqrt(z + 1.0);
  LEVEL(wide_log)(&sum, &y);
  MATH_DOUBLES near = size - size * (z * (0x1.5555555555555p-3 - z * 0x1.3333333333333p-4));
  WIDE_STORE(to, WIDE_SELECT(size < 0x1p-8, near, y), sign);
}

// log(x + root(x^2 - 1)); NaN below 1.
MATH_INLINE LEVEL(acosh_lanes)(const float *from, float *to) {
  MATH_DOUBLES x = WIDE_LOAD(from), y;
  MATH_DOUBLES sum = x + __builtin_elementwise_sqrt((x - 1.0) * (x + 1.0));
  sum = WIDE_SELECT(x < 1.0, WIDE(__builtin_nan("")), sum);
  LEVEL(wide_log)(&sum, &y);
  WIDE_STORE(to, y, 0);
}

// log((1 + |x|) / (1 - |x|)) / 2, and two terms of the series below 2^-8; NaN above 1.
MATH_INLINE LEVEL(atanh_lanes)(const float *from, float *to) {
  MATH_INTS sign = MATH_SIGN(*(const MATH_OPERAND *)from);
  MATH_DOUBLES size = WIDE_SIZE(WIDE_LOAD(from)), z = size * size, y;
  MATH_DOUBLES ratio = (1.0 + size) / (1.0 - size);
  LEVEL(wide_log)(&ratio, &y);
  MATH_DOUBLES near = size + size * (z * (0x1.5555555555555p-2 + z * 0x1.999999999999ap-3));
  WIDE_STORE(to, WIDE_SELECT(size < 0x1p-8, near, 0.5 * y), sign);
}

// t e^(p(t) - x^2) with t = 2 / (2 + |x|), which rounds to zero from 10.06 on; 2 minus that for
// negative x.
MATH_INLINE LEVEL(far_erfc)(const MATH_FLOATS *from, MATH_FLOATS *to) {
  MATH_DOUBLES x = WIDE_LOAD(from), size = WIDE_SIZE(x), y;
  size = WIDE_SELECT(size > 10.2, WIDE(10.2), size);
  MATH_DOUBLES t = 2.0 / (2.0 + size);
  MATH_DOUBLES z = t * t;
  MATH_DOUBLES even = z * -0x1.5cab397646d1ap-3 - 0x1.2e1dae2cbe70dp+2;
  even = even * z - 0x1.66544f3fca1c4p+3;
  even = even * z - 0x1.d4762d84836e4p+1;
  even = even * z - 0x1.6487806d6aa34p-3;
  even = even * z - 0x1.e37c1c9c5a31cp-5;
  even = even * z + 0x1.80c698ee7d310p-2;
  even = even * z - 0x1.43f87e7b240dap+0;
  MATH_DOUBLES odd = z * 0x1.5b1ba72eea666p+0 + 0x1.29c16a3d483e3p+3;
  odd = odd * z + 0x1.08698cf863edfp+3;
  odd = odd * z + 0x1.124e074b95f40p+0;
  odd = odd * z - 0x1.9bff8877f0ef3p-3;
  odd = odd * z + 0x1.3d0aeaf7458cdp-4;
  odd = odd * z + 0x1.fff8f0a586217p-1;
  MATH_DOUBLES power = ((even + t * odd) - size * size) * WIDE_LOG2_E;
  LEVEL(wide_exp2)(&power, &y);
  y = t * y;
  WIDE_STORE(to, WIDE_SELECT(x < 0.0, 2.0 - y, y), 0);
}

MATH_LOOP(sinh)
MATH_LOOP(cosh)
MATH_LOOP(asinh)
MATH_LOOP(acosh)
MATH_LOOP(atanh)
