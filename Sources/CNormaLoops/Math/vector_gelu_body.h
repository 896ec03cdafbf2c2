// Elementwise gelu and its slope over contiguous floats; included after vector_tables_body.h, under
// the same rules. Polynomials with tabulated coefficients (gelu_tables.h) are used up to 5.7; only
// registers with a larger number use the tail.

// A tabulated function of a is constant + distance p.
MATH_INLINE LEVEL(gelu_look_up_all)(
    const float (*table)[32], const PART_FLOATS *a, PART_FLOATS *constant, PART_FLOATS *distance,
    PART_FLOATS *p) {
  PART_FLOATS factor = PART_FMA(*a, PART_ALL(NORMA_GELU_FACTOR), PART_ALL(NORMA_GELU_OFFSET));
  PART_INTS number = (PART_INTS)PART_FMA(factor, *a, PART_ALL(MATH_TO_INTEGER));
  PART_FLOATS center, coefficient, sum;
  LEVEL(look_up)(table[0], &number, &center);
  *distance = *a - center;
  LEVEL(look_up)(table[7], &number, &sum);
  for (int k = 6; k > 1; k--) {
    LEVEL(look_up)(table[k], &number, &coefficient);
    sum = PART_FMA(sum, *distance, coefficient);
  }
  LEVEL(look_up)(table[1], &number, constant);
  *p = sum;
}

// n and y with 2^n (1 + y) = e^(-a^2 / 2) / root(2 pi) (1 - u).
MATH_INLINE LEVEL(gelu_bell)(
    const PART_FLOATS *a, const PART_FLOATS *square, const PART_FLOATS *u, PART_FLOATS *y,
    PART_INTS *n) {
  // The logarithm of the power is -(square + lost) / 2 - log root(2 pi), split into n ln 2 and a
  // remainder.
  PART_FLOATS lost = PART_FMA(*a, *a, -*square);
  PART_FLOATS turns = PART_FMA(*square, PART_ALL(-0x1.715476p-1f), PART_ALL(-0x1.536444p0f));
  PART_FLOATS shifted = turns + MATH_TO_INTEGER;
  PART_FLOATS whole = shifted - MATH_TO_INTEGER;
  PART_FLOATS high =
      PART_FMA(whole, PART_ALL(-MATH_LN2_HIGH), -0.5f * *square) - 0x1.d67f1cp-1f;
  PART_FLOATS low = PART_FMA(whole, PART_ALL(-MATH_LN2_LOW), -0.5f * lost) - 0x1.0c97d6p-26f;
  // The polynomial of reduced_exp.
  PART_FLOATS r = high + low;
  PART_FLOATS p = PART_FMA(r, PART_ALL(0x1.6ac74ep-10f), PART_ALL(0x1.123dep-7f));
  p = PART_FMA(p, r, PART_ALL(0x1.555858p-5f));
  p = PART_FMA(p, r, PART_ALL(0x1.55548cp-3f));
  p = PART_FMA(p, r, PART_ALL(0x1.fffffcp-2f));
  PART_FLOATS rest = PART_FMA(r * r, p, low);
  *y = high + PART_FMA(-(high + rest), *u, rest - *u);
  *n = (PART_INTS)shifted - MATH_TO_INTEGER_BITS;
}

// 2^n y, for n from -170 to 0, in two steps, only the second of which may round.
MATH_INLINE LEVEL(gelu_scaled)(const PART_FLOATS *y, const PART_INTS *n, PART_FLOATS *result) {
  PART_INTS half = *n >> 1;
  *result = *y * (PART_FLOATS)((half + 127) << 23) * (PART_FLOATS)((*n - half + 127) << 23);
}

// a share(a) = e^(-a^2 / 2) / root(2 pi) (1 - v p(v)), v = 1 / a^2, from 5.7 on.
MATH_INLINE LEVEL(gelu_tail)(const PART_FLOATS *size, PART_FLOATS *result) {
  // From 14.5 on the result is 0.
  PART_FLOATS a = PART_SELECT(*size > 15.0f, PART_ALL(15.0f), *size), square = a * a, y;
  PART_FLOATS v = 1.0f / square;
  PART_FLOATS p = PART_FMA(v, PART_ALL(-0x1.aa20dap11f), PART_ALL(0x1.6a2a02p9f));
  p = PART_FMA(p, v, PART_ALL(-0x1.93f776p6f));
  p = PART_FMA(p, v, PART_ALL(0x1.deb772p3f));
  p = PART_FMA(p, v, PART_ALL(-0x1.7ff96ep1f));
  p = PART_FMA(p, v, PART_ALL(0x1.fffff4p-1f)) * v;
  PART_INTS n;
  LEVEL(gelu_bell)(&a, &square, &p, &y, &n);
  y = 1.0f + y;
  LEVEL(gelu_scaled)(&y, &n, result);
}

// -slope(-a) = a e^(-a^2 / 2) / root(2 pi) (1 - v p(v)), v = 1 / a^2, from 5.7 on.
MATH_INLINE LEVEL(gelu_slope_tail)(const PART_FLOATS *size, PART_FLOATS *result) {
  PART_FLOATS a = PART_SELECT(*size > 15.0f, PART_ALL(15.0f), *size), square = a * a, y;
  PART_FLOATS v = 1.0f / square;
  PART_FLOATS p = PART_FMA(v, PART_ALL(0x1.adea4p5f), PART_ALL(-0x1.b2b658p3f));
  p = PART_FMA(p, v, PART_ALL(0x1.7d7e16p1f));
  p = PART_FMA(p, v, PART_ALL(-0x1.ffef7ep-1f));
  p = PART_FMA(p, v, PART_ALL(0x1.fffff6p-1f)) * v;
  PART_INTS n;
  LEVEL(gelu_bell)(&a, &square, &p, &y, &n);
  y = PART_FMA(a, y, a);
  LEVEL(gelu_scaled)(&y, &n, result);
}

// max(x, 0) - |x| share(|x|), the product as a sum of two numbers. -0 at -inf, the limit.
// Worst error: 0.9101 at -6.01721525 (-0x1.811a0ep+2).
MATH_INLINE LEVEL(gelu_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), constant, distance, p;
  PART_FLOATS a = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  LEVEL(gelu_look_up_all)(norma_gelu_share, &a, &constant, &distance, &p);
  PART_FLOATS high = PART_FMA(distance, p, constant);
  PART_FLOATS low = PART_FMA(distance, p, constant - high);
  PART_FLOATS product = a * high;
  PART_FLOATS loss = product + PART_FMA(a, low, PART_FMA(a, high, -product));
  PART_INTS beyond = a > NORMA_GELU_END;
  if (__builtin_reduce_or(beyond)) {
    PART_FLOATS tail;
    LEVEL(gelu_tail)(&a, &tail);
    loss = PART_SELECT(beyond, tail, loss);
  }
  *(PART_OPERAND *)to = PART_SELECT(x < 0.0f, PART_ALL(-0.0f), x) - loss;
}

// slope(-|x|); for positive x, 1 minus that.
// Worst error at the scale of its larger term: 1.0599 at -0.340585738 (-0x1.5cc282p-2).
MATH_INLINE LEVEL(gelu_slope_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), constant, distance, p;
  PART_FLOATS a = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  LEVEL(gelu_look_up_all)(norma_gelu_slopes, &a, &constant, &distance, &p);
  PART_FLOATS y = PART_FMA(distance, p, constant);
  PART_INTS beyond = a > NORMA_GELU_END;
  if (__builtin_reduce_or(beyond)) {
    PART_FLOATS tail;
    LEVEL(gelu_slope_tail)(&a, &tail);
    y = PART_SELECT(beyond, -tail, y);
  }
  *(PART_OPERAND *)to = PART_SELECT(x < 0.0f, y, 1.0f - y);
}

PART_LOOP(gelu)
PART_LOOP(gelu_slope)
