// lgamma and digamma of floats, computed in double and rounded once; included after
// wide_math_body.h, under the same rules.
//
// Where a result is so close to zero that the rounding errors of its parts matter, single lanes are
// computed by the C library and by norma_digamma.

// r = x - its nearest integer, exact, and sin(pi r) / r; -1/2 <= r <= 1/2.
MATH_INLINE LEVEL(wide_sine_of_turn)(
    const MATH_DOUBLES *x, MATH_DOUBLES *rest, MATH_DOUBLES *ratio) {
  // From 2^24 on all floats are integers.
  MATH_DOUBLES near = WIDE_SELECT(WIDE_SIZE(*x) < 0x1p24, *x, WIDE(0.0));
  MATH_DOUBLES r = near - ((near + WIDE_TO_INTEGER) - WIDE_TO_INTEGER);
  MATH_DOUBLES z = r * r;
  MATH_DOUBLES p = z * 0x1.d4ec697341a14p-12 - 0x1.e297cfd3476f5p-8;
  p = p * z + 0x1.5076fe9f5e3e3p-4;
  p = p * z - 0x1.32d2c96c60f5bp-1;
  p = p * z + 0x1.466bc66dc7d7ep+1;
  p = p * z - 0x1.4abbce6247ec4p+2;
  *ratio = p * z + 0x1.921fb54442b5fp+1;
  *rest = r;
}

// log |gamma(x)|: v p(v) with v = t - 2 for t around 2; t around 0, 1 and 3 is shifted there by a
// logarithm; Stirling's series from 3.5 on. t is x, or 1 - x up to -1/2, where the result is
// log(pi / |sin(pi x)|) minus that of t. One logarithm serves both, except for large t. Infinite at
// both infinities, at 0 and at negative integers.
MATH_INLINE LEVEL(lgamma_lanes)(const float *from, float *to) {
  MATH_DOUBLES x = WIDE_LOAD(from), log;
  MATH_LONGS reflected = (MATH_LONGS)(x <= -0.5);
  MATH_DOUBLES t = WIDE_SELECT(reflected, 1.0 - x, x);
  MATH_LONGS small = (MATH_LONGS)(t < 0.5), low = (MATH_LONGS)(t < 1.5);
  MATH_LONGS high = (MATH_LONGS)(t >= 2.5), large = (MATH_LONGS)(t >= 3.5);
  MATH_DOUBLES factor = WIDE_SELECT(high, t - 1.0, WIDE(1.0));
  factor = WIDE_SELECT(low | large, t, factor);
  factor = WIDE_SELECT(small, WIDE_SIZE(t) * (t + 1.0), factor);
  if (__builtin_reduce_or(reflected)) {
    MATH_DOUBLES rest, ratio;
    LEVEL(wide_sine_of_turn)(&x, &rest, &ratio);
    MATH_DOUBLES share = WIDE_SIZE(rest * ratio) * (1 / WIDE_PI);
    factor = WIDE_SELECT(reflected, WIDE_SELECT(large, share, share * factor), factor);
  }
  LEVEL(wide_log)(&factor, &log);
  MATH_DOUBLES moved = WIDE_SELECT(low | reflected, -log, log);
  MATH_DOUBLES center = WIDE_SELECT(small, WIDE(0.0), WIDE(1.0));
  center = WIDE_SELECT(high, WIDE(3.0), WIDE_SELECT(low, center, WIDE(2.0)));
  MATH_DOUBLES v = WIDE_SELECT(large, WIDE(0.0), t - center);
  MATH_DOUBLES z = v * v;
  MATH_DOUBLES odd = z * 0x1.8231f5f65b89ep-18 + 0x1.4c74e5e3785bcp-16;
  odd = odd * z + 0x1.a1dd54a80505ep-14;
  odd = odd * z + 0x1.0b33c3a37bfcfp-11;
  odd = odd * z + 0x1.7add7aeeb1086p-9;
  odd = odd * z + 0x1.51322abc8579bp-6;
  odd = odd * z + 0x1.4a34cc4a62800p-2;
  MATH_DOUBLES even = z * -0x1.8008a2027318dp-17 - 0x1.72e3a2f7524f2p-15;
  even = even * z - 0x1.d43f55f36d412p-13;
  even = even * z - 0x1.38aba2c627ff2p-10;
  even = even * z - 0x1.e404fe0e178c5p-8;
  even = even * z - 0x1.13e001a4dd6e7p-4;
  even = even * z + 0x1.b0ee607209295p-2;
  MATH_DOUBLES near = v * (even + v * odd);
  MATH_DOUBLES y = WIDE_SELECT(reflected, -near, near) + moved;
  if (__builtin_reduce_or(large)) {
    // (t - 1/2) log t - t + log(2 pi) / 2 + the sum of B(2k) / (2k (2k - 1)) t^(1 - 2k).
    if (__builtin_reduce_or(large & reflected)) LEVEL(wide_log)(&t, &log);
    MATH_DOUBLES inverse = 1.0 / t;
    MATH_DOUBLES square = inverse * inverse;
    MATH_DOUBLES series = square * (-691.0 / 360360) + 1.0 / 1188;
    series = series * square - 1.0 / 1680;
    series = series * square + 1.0 / 1260;
    series = series * square - 1.0 / 360;
    series = series * square + 1.0 / 12;
    MATH_DOUBLES far = (t - 0.5) * log - t + (0x1.d67f1c864beb5p-1 + inverse * series);
    y = WIDE_SELECT(large, WIDE_SELECT(reflected, moved - far, far), y);
  }
  MATH_LONGS close = (MATH_LONGS)((x < -2.0) & (WIDE_SIZE(y) < 0x1p-4));
  if (__builtin_reduce_or(close)) {
    for (int i = 0; i < MATH_LANES; i++) {
      if (close[i]) y[i] = norma_lgamma(x[i]);
    }
  }
  WIDE_STORE(to, WIDE_SELECT(WIDE_SIZE(x) == __builtin_inf(), WIDE_SIZE(x), y), 0);
}

// psi(x) = psi(1 - x) - pi cos(pi r) / sin(pi r) below 1/2, r as above. From there shifted up by 8,
// and log x - 1 / 2x - the sum of B(2k) / 2k x^-2k. NaN at negative integers.
MATH_INLINE LEVEL(digamma_lanes)(const float *from, float *to) {
  MATH_DOUBLES x = WIDE_LOAD(from), y;
  MATH_LONGS reflected = (MATH_LONGS)(x < 0.5);
  MATH_DOUBLES t = WIDE_SELECT(reflected, 1.0 - x, x);
  // 1 / t + ... + 1 / (t + 7), in pairs from both ends, which share the sum 2t + 7.
  MATH_LONGS small = (MATH_LONGS)(t < 8.0);
  MATH_DOUBLES w = t * (t + 7.0);
  MATH_DOUBLES outer = w * (w + 6.0), inner = (w + 10.0) * (w + 12.0);
  MATH_DOUBLES pairs = (2.0 * w + 6.0) * inner + (2.0 * w + 22.0) * outer;
  MATH_DOUBLES sum = (2.0 * t + 7.0) * pairs / (outer * inner);
  sum = WIDE_SELECT(small, sum, WIDE(0.0));
  t = WIDE_SELECT(small, t + 8.0, t);
  LEVEL(wide_log)(&t, &y);
  MATH_DOUBLES inverse = 1.0 / t;
  MATH_DOUBLES z = inverse * inverse;
  MATH_DOUBLES series = z * (1.0 / 132) - 1.0 / 240;
  series = series * z + 1.0 / 252;
  series = series * z - 1.0 / 120;
  series = series * z + 1.0 / 12;
  y = (y - (0.5 * inverse + z * series)) - sum;
  if (__builtin_reduce_or(reflected)) {
    MATH_DOUBLES rest, ratio;
    LEVEL(wide_sine_of_turn)(&x, &rest, &ratio);
    MATH_DOUBLES s = rest * rest;
    MATH_DOUBLES cosine = s * 0x1.a2e1bfdc8f08cp-14 - 0x1.f2b428f0c5b26p-10;
    cosine = cosine * s + 0x1.9f04df06d1a7cp-6;
    cosine = cosine * s - 0x1.d4fcd593d5001p-3;
    cosine = cosine * s + 0x1.472be11eb7a02p+0;
    cosine = cosine * s - 0x1.de9e64df1bae7p+1;
    cosine = (cosine * s + 0x1.fffffffffffb2p+1) * (0.25 - s);
    MATH_DOUBLES turned = y - WIDE_PI * cosine / (rest * ratio);
    turned = WIDE_SELECT((x < 0.0) & (rest == 0.0), WIDE(__builtin_nan("")), turned);
    y = WIDE_SELECT(reflected, turned, y);
  }
  MATH_LONGS close = (MATH_LONGS)(WIDE_SIZE(y) < 0x1p-9);
  if (__builtin_reduce_or(close)) {
    for (int i = 0; i < MATH_LANES; i++) {
      if (close[i]) y[i] = norma_digamma(x[i]);
    }
  }
  WIDE_STORE(to, y, 0);
}

MATH_LOOP(lgamma)
MATH_LOOP(digamma)
