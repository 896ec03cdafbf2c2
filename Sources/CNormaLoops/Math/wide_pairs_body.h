// Elementwise functions of two floats, computed in double and rounded once; included after
// wide_math_body.h, under the same rules.

#define MATH_PAIR_LOOP(name)                                                                 \
  void LEVEL(norma_##name##_f32)(size_t n, const void *const *operands, void *out) {         \
    const float *x = operands[0], *y = operands[1];                                          \
    float *z = out, a[MATH_LANES] = {0}, b[MATH_LANES] = {0};                                \
    for (size_t i = 0; i < n; i += MATH_LANES) {                                             \
      const size_t rest = n - i;                                                             \
      const int whole = rest >= MATH_LANES;                                                  \
      if (!whole) {                                                                          \
        __builtin_memcpy(a, x + i, rest * sizeof(float));                                    \
        __builtin_memcpy(b, y + i, rest * sizeof(float));                                    \
      }                                                                                      \
      LEVEL(name##_lanes)(whole ? x + i : a, whole ? y + i : b, whole ? z + i : a);          \
      if (!whole) __builtin_memcpy(z + i, a, rest * sizeof(float));                          \
    }                                                                                        \
  }

// |x|^y = 2^(y log2 |x|), with the sign of x for odd y; NaN for negative x and fractional y. 1 for
// y = 0 or x = 1, whatever the other operand, and for (-1)^inf.
MATH_INLINE LEVEL(pow_lanes)(const float *from, const float *exponents, float *to) {
  MATH_FLOATS base = *(const MATH_OPERAND *)from;
  MATH_DOUBLES x = WIDE_LOAD(from), y = WIDE_LOAD(exponents), size = WIDE_SIZE(x), log, result;
  LEVEL(wide_log)(&size, &log);
  MATH_DOUBLES power = y * (log * WIDE_LOG2_E);
  power = WIDE_SELECT((size == 1.0) & (y == y), WIDE(0.0), power);
  LEVEL(wide_exp2)(&power, &result);
  // From 2^24 on, infinity included, all floats are even.
  MATH_DOUBLES shifted = y + WIDE_TO_INTEGER;
  MATH_LONGS even = (MATH_LONGS)(WIDE_SIZE(y) >= 0x1p24);
  MATH_LONGS whole = even | (MATH_LONGS)(shifted - WIDE_TO_INTEGER == y);
  MATH_LONGS odd = whole & ~even & -((MATH_LONGS)shifted & 1);
  result = WIDE_SELECT(
      (x < 0.0) & (size < __builtin_inf()) & ~whole, WIDE(__builtin_nan("")), result);
  result = WIDE_SELECT((y == 0.0) | (x == 1.0), WIDE(1.0), result);
  WIDE_STORE(to, result, MATH_SIGN(base) & __builtin_convertvector(odd, MATH_INTS));
}

// The angle of the point (x, y), with the sign of y; a point of signed zeros or of two infinities
// has the angle of its quadrant's axis or diagonal.
MATH_INLINE LEVEL(atan2_lanes)(const float *from, const float *widths, float *to) {
  MATH_INTS sign = MATH_SIGN(*(const MATH_OPERAND *)from);
  MATH_INTS left = MATH_SIGN(*(const MATH_OPERAND *)widths) >> 31;
  MATH_DOUBLES height = WIDE_SIZE(WIDE_LOAD(from)), width = WIDE_SIZE(WIDE_LOAD(widths)), y;
  MATH_LONGS infinite = (MATH_LONGS)((height == __builtin_inf()) & (width == __builtin_inf()));
  height = WIDE_SELECT(infinite, WIDE(1.0), height);
  width = WIDE_SELECT(infinite | (MATH_LONGS)((height == 0.0) & (width == 0.0)), WIDE(1.0), width);
  LEVEL(wide_angle)(&height, &width, &y);
  y = WIDE_SELECT(__builtin_convertvector(left, MATH_LONGS), WIDE_PI - y, y);
  WIDE_STORE(to, y, sign);
}

// Squares of floats are exact in double and neither overflow nor underflow. Infinity with NaN gives
// infinity.
MATH_INLINE LEVEL(hypot_lanes)(const float *from, const float *others, float *to) {
  MATH_DOUBLES x = WIDE_SIZE(WIDE_LOAD(from)), y = WIDE_SIZE(WIDE_LOAD(others));
  MATH_DOUBLES result = __builtin_elementwise_sqrt(x * x + y * y);
  const MATH_DOUBLES infinity = WIDE(__builtin_inf());
  WIDE_STORE(to, WIDE_SELECT((x == infinity) | (y == infinity), infinity, result), 0);
}

// x - q y with the quotient q truncated to an integer, exact: below 2^29 the product has no more
// than 53 bits, and if the quotient was rounded up to an integer, y is added again. Larger
// quotients are computed by the C library.
MATH_INLINE LEVEL(fmod_lanes)(const float *from, const float *divisors, float *to) {
  MATH_INTS sign = MATH_SIGN(*(const MATH_OPERAND *)from);
  MATH_DOUBLES x = WIDE_SIZE(WIDE_LOAD(from)), y = WIDE_SIZE(WIDE_LOAD(divisors));
  MATH_DOUBLES quotient = x / y;
  MATH_DOUBLES whole = (quotient + WIDE_TO_INTEGER) - WIDE_TO_INTEGER;
  MATH_DOUBLES rest = x - whole * y;
  rest = WIDE_SELECT(rest < 0.0, rest + y, rest);
  rest = WIDE_SELECT(x < y, x, rest);
  MATH_LONGS large = (MATH_LONGS)((quotient >= 0x1p29) & (quotient < __builtin_inf()));
  if (__builtin_reduce_or(large)) {
    for (int i = 0; i < MATH_LANES; i++) {
      if (large[i]) rest[i] = __builtin_fmod(x[i], y[i]);
    }
  }
  WIDE_STORE(to, rest, sign);
}

// The remainder of fmod, shifted to the sign of the divisor.
MATH_INLINE LEVEL(remainder_lanes)(const float *from, const float *divisors, float *to) {
  MATH_FLOATS y = *(const MATH_OPERAND *)divisors, rest;
  LEVEL(fmod_lanes)(from, divisors, (float *)&rest);
  MATH_INTS crosses = (rest != 0.0f) & ((y < 0.0f) != (rest < 0.0f));
  *(MATH_OPERAND *)to = MATH_SELECT(crosses, rest + y, rest);
}

// The quotient of x minus its fmod, which is an integer except for rounding; minus 1 if the
// remainder has the opposite sign.
MATH_INLINE LEVEL(floor_divide_lanes)(const float *from, const float *divisors, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, y = *(const MATH_OPERAND *)divisors, rest;
  LEVEL(fmod_lanes)(from, divisors, (float *)&rest);
  MATH_FLOATS quotient = x / y, whole = (x - rest) / y;
  MATH_INTS crosses = (rest != 0.0f) & ((y < 0.0f) != (rest < 0.0f));
  whole = MATH_SELECT(crosses, whole - 1.0f, whole);
  MATH_FLOATS floor = __builtin_elementwise_floor(whole);
  floor = MATH_SELECT(whole - floor > 0.5f, floor + 1.0f, floor);
  const MATH_FLOATS zero = MATH_SPLAT(0.0f);
  floor = MATH_SELECT(whole == 0.0f, MATH_WITH_SIGN(zero, MATH_SIGN(quotient)), floor);
  *(MATH_OPERAND *)to = MATH_SELECT(y == 0.0f, quotient, floor);
}

// The larger of two, and log(1 + e) with e = 2^-power, power at least 0: 2 s + s z p(z) as in
// wide_log, s = e / (2 + e); if 1 + e is above root 2, it is halved first: s = (e - 1) / (e + 3).
MATH_INLINE LEVEL(wide_log_add)(
    const MATH_DOUBLES *x, const MATH_DOUBLES *y, double scale, MATH_DOUBLES *larger,
    MATH_DOUBLES *added) {
  MATH_DOUBLES power = -WIDE_SIZE(*x - *y) * scale, e;
  // The difference of equal infinities counts as 0.
  power = WIDE_SELECT(*x == *y, WIDE(0.0), power);
  LEVEL(wide_exp2)(&power, &e);
  MATH_LONGS halved = (MATH_LONGS)(e > 0x1.a827999fcef32p-2);
  MATH_DOUBLES s = WIDE_SELECT(halved, e - 1.0, e) / WIDE_SELECT(halved, e + 3.0, e + 2.0);
  MATH_DOUBLES z = s * s;
  MATH_DOUBLES p = z * 0x1.91159f91b199cp-3 + 0x1.c62b136fb0bfdp-3;
  p = p * z + 0x1.249411f20bb49p-2;
  p = p * z + 0x1.999996a940a95p-2;
  p = p * z + 0x1.555555561e46fp-1;
  *added = WIDE_SELECT(halved, WIDE(0x1.62e42fefa39efp-1), WIDE(0.0)) + (2.0 * s + s * (z * p));
  *larger = WIDE_SELECT(*x > *y, *x, *y);
}

MATH_INLINE LEVEL(log_add_exp_lanes)(const float *from, const float *others, float *to) {
  MATH_DOUBLES x = WIDE_LOAD(from), y = WIDE_LOAD(others), larger, added;
  LEVEL(wide_log_add)(&x, &y, WIDE_LOG2_E, &larger, &added);
  WIDE_STORE(to, larger + added, 0);
}

MATH_INLINE LEVEL(log_add_exp2_lanes)(const float *from, const float *others, float *to) {
  MATH_DOUBLES x = WIDE_LOAD(from), y = WIDE_LOAD(others), larger, added;
  LEVEL(wide_log_add)(&x, &y, 1.0, &larger, &added);
  WIDE_STORE(to, larger + added * WIDE_LOG2_E, 0);
}

// x log y, and 0 if x is 0 and y is not NaN.
MATH_INLINE LEVEL(xlogy_lanes)(const float *from, const float *others, float *to) {
  MATH_DOUBLES x = WIDE_LOAD(from), y = WIDE_LOAD(others), log;
  LEVEL(wide_log)(&y, &log);
  WIDE_STORE(to, WIDE_SELECT((x == 0.0) & (y == y), WIDE(0.0), x * log), 0);
}

MATH_PAIR_LOOP(pow)
MATH_PAIR_LOOP(fmod)
MATH_PAIR_LOOP(remainder)
MATH_PAIR_LOOP(floor_divide)
MATH_PAIR_LOOP(atan2)
MATH_PAIR_LOOP(hypot)
MATH_PAIR_LOOP(log_add_exp)
MATH_PAIR_LOOP(log_add_exp2)
MATH_PAIR_LOOP(xlogy)
