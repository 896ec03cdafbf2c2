// Elementwise exp over contiguous floats; included after vector_tables_body.h, under the same
// rules.

// e^x = 2^n (1 + high + rest) as in reduced_exp, for |x| up to 86, where 2^n is normal.
MATH_INLINE LEVEL(near_exp_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from);
  PART_FLOATS shifted = PART_FMA(x, PART_ALL(0x1.715476p0f), PART_ALL(MATH_TO_INTEGER));
  PART_FLOATS whole = shifted - MATH_TO_INTEGER;
  PART_FLOATS high = PART_FMA(whole, PART_ALL(-MATH_LN2_HIGH), x), low = whole * -MATH_LN2_LOW;
  PART_FLOATS r = high + low;
  PART_FLOATS p = PART_FMA(r, PART_ALL(0x1.6ac74ep-10f), PART_ALL(0x1.123dep-7f));
  p = PART_FMA(p, r, PART_ALL(0x1.555858p-5f));
  p = PART_FMA(p, r, PART_ALL(0x1.55548cp-3f));
  p = PART_FMA(p, r, PART_ALL(0x1.fffffcp-2f));
  PART_FLOATS y = 1.0f + (high + PART_FMA(r * r, p, low));
  *(PART_OPERAND *)to = (PART_FLOATS)((PART_INTS)y + ((PART_INTS)shifted << 23));
}

// Blocks with a larger number, or NaN, also take the slow path.
// Worst error: 0.8763 at -27.3443165 (-0x1.b58252p+4).
MATH_INLINE LEVEL(exp_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, y;
  for (int i = 0; i < MATH_LANES; i += PART_LANES) LEVEL(near_exp_part)(from + i, to + i);
  if (!MATH_ANY_BEYOND(x, 86.0f)) return;
  LEVEL(far_exp)(&x, &y);
  MATH_INTS near = MATH_SIZE(x) <= 86.0f;
  *(MATH_OPERAND *)to = MATH_SELECT(near, *(MATH_OPERAND *)to, y);
}

MATH_LOOP(exp)
