// Elementwise asin, acos and atan over contiguous floats; included after vector_tables_body.h,
// under the same rules.
//
// Constants added to an argument, and the argument itself if it is a root or a quotient, are sums
// of two floats, so that hardly more than the last rounding matters.

// The rounding errors of pi / 4, pi / 2 and pi as floats, relative to them.
#define INVERSE_BASE_LOW -0x1.de12cap-26f
// base + term (1 + first + rest) + low, added from large to small; base is 0 or a multiple of
// pi / 4.
#define INVERSE_SUM(result, base, term, first, rest, low)                                    \
  PART_FLOATS sum = (base) + (term), part = (term) * (first), all = sum + part;              \
  PART_FLOATS tail = PART_FMA(base, PART_ALL(INVERSE_BASE_LOW), ((base) - sum) + (term));    \
  tail = PART_FMA(term, rest, tail + (low));                                                 \
  tail = PART_FMA(term, first, -part) + (tail + ((sum - all) + part));                       \
  *(result) = all + tail

// The parts of asin and acos, with r = |x| up to 1/2, and root((1 - |x|) / 2) beyond, because asin
// |x| is pi / 2 - 2 asin r: asin r = r (1 + first + rest), first + rest = z (1/6 + z q(z)), z =
// r^2. lost times share corrects for the rounding errors: of z for small |x|, of r for large |x|.
MATH_INLINE LEVEL(asin_parts)(
    const PART_FLOATS *size, const PART_INTS *far, PART_FLOATS *r, PART_FLOATS *first,
    PART_FLOATS *rest, PART_FLOATS *lost, PART_FLOATS *share) {
  PART_FLOATS z = PART_SELECT(
      *far, PART_FMA(PART_ALL(-0.5f), *size, PART_ALL(0.5f)), *size * *size);
  PART_FLOATS root = __builtin_elementwise_sqrt(z), rough;
  *r = PART_SELECT(*far, root, *size);
  *lost = PART_FMA(*r, *r, -z);
  PART_FLOATS q = PART_FMA(z, PART_ALL(0x1.11890cp-5f), PART_ALL(0x1.1bcc7ep-7f));
  q = PART_FMA(q, z, PART_ALL(0x1.8c47bep-6f));
  q = PART_FMA(q, z, PART_ALL(0x1.ee9afcp-6f));
  q = PART_FMA(q, z, PART_ALL(0x1.6dcbcep-5f));
  q = PART_FMA(q, z, PART_ALL(0x1.3333p-4f));
  PART_FLOATS more = PART_FMA(z, PART_ALL(0.18f), PART_ALL(2.0072f));
  LEVEL(rough_inverse)(r, &more, &rough);
  *share = PART_SELECT(*far, rough, *r * PART_FMA(q, z, PART_ALL(0.185f)));
  *first = z * 0x1.555556p-3f;
  *rest = PART_FMA(z, PART_ALL(0x1.555556p-3f), -*first);
  *rest = PART_FMA(z, PART_FMA(z, q, PART_ALL(-0x1.555556p-28f)), *rest);
}

// Worst error: 0.5142 at -0.525804877 (-0x1.0d364cp-1).
MATH_INLINE LEVEL(asin_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), r, first, rest, lost, share, y;
  PART_FLOATS size = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  PART_INTS far = size > 0.5f, sign = (PART_INTS)x & (int)0x80000000;
  LEVEL(asin_parts)(&size, &far, &r, &first, &rest, &lost, &share);
  PART_FLOATS base = (PART_FLOATS)((PART_INTS)PART_ALL(0x1.921fb6p0f) & far);
  PART_FLOATS term = PART_SELECT(far, -2.0f * r, r);
  INVERSE_SUM(&y, base, term, first, rest, lost * share);
  *(PART_OPERAND *)to = (PART_FLOATS)((PART_INTS)y | sign);
}

// pi / 2 - asin x; beyond 1/2 on either side, 2 asin r or pi - 2 asin r.
// Worst error: 0.5130 at 0.550504923 (0x1.19dbc8p-1).
MATH_INLINE LEVEL(acos_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), r, first, rest, lost, share;
  PART_FLOATS size = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  PART_INTS far = size > 0.5f, sign = (PART_INTS)x & (int)0x80000000;
  LEVEL(asin_parts)(&size, &far, &r, &first, &rest, &lost, &share);
  PART_FLOATS half_turn = (PART_FLOATS)((PART_INTS)PART_ALL(0x1.921fb6p1f) & (sign >> 31));
  PART_FLOATS base = PART_SELECT(far, half_turn, PART_ALL(0x1.921fb6p0f));
  PART_FLOATS term = PART_SELECT(far, 2.0f * r, -r);
  term = (PART_FLOATS)((PART_INTS)term ^ sign);
  lost = (PART_FLOATS)((PART_INTS)-lost ^ sign);
  INVERSE_SUM((PART_OPERAND *)to, base, term, first, rest, lost * share);
}

// atan t = t (1 + first + rest), first + rest = s (s q(s) - 1/3), s = t^2, with t = |x| below 1/2,
// (|x| - 1) / (|x| + 1) up to 2 and -1 / |x| beyond, where pi / 4 or pi / 2 is added.
// Worst error: 0.5441 at 0.545901716 (0x1.17806ep-1).
MATH_INLINE LEVEL(atan_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), y;
  PART_FLOATS size = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  PART_INTS sign = (PART_INTS)x & (int)0x80000000;
  // From here on the result is pi / 2; the rounding error of an infinite quotient would be NaN.
  size = PART_SELECT(size > 0x1p30f, PART_ALL(0x1p30f), size);
  PART_INTS turned = size >= 0.5f, steep = size > 2.0f;
  PART_FLOATS one = (PART_FLOATS)((PART_INTS)PART_ALL(1.0f) & turned);
  PART_FLOATS above = PART_SELECT(steep, PART_ALL(-1.0f), size - one);
  PART_FLOATS below = 1.0f + (PART_FLOATS)((PART_INTS)size & turned);
  PART_FLOATS below_low = (PART_FLOATS)((PART_INTS)(size - (below - 1.0f)) & turned & ~steep);
  below = PART_SELECT(steep, size, below);
  PART_FLOATS t = above / below;
  // The rounding error of t, times the slope, for which the mean is accurate enough: 1 / below is
  // (1 - t) / 2 or -t. There is no error below 1/2.
  PART_FLOATS inverse = PART_SELECT(
      steep, t * -0.87f, PART_FMA(t, PART_ALL(-0.435f), PART_ALL(0.435f)));
  PART_FLOATS lost = PART_FMA(-t, below_low, PART_FMA(-t, below, above));
  PART_FLOATS s = t * t, s_low = PART_FMA(t, t, -s);
  PART_FLOATS q = PART_FMA(s, PART_ALL(-0x1.fd1226p-6f), PART_ALL(0x1.0ca6b4p-4f));
  q = PART_FMA(q, s, PART_ALL(-0x1.6c3db0p-4f));
  q = PART_FMA(q, s, PART_ALL(0x1.c65628p-4f));
  q = PART_FMA(q, s, PART_ALL(-0x1.248d92p-3f));
  q = PART_FMA(q, s, PART_ALL(0x1.999984p-3f));
  PART_FLOATS first = s * -0x1.555556p-2f;
  PART_FLOATS rest = PART_FMA(s, PART_ALL(-0x1.555556p-2f), -first);
  rest = PART_FMA(s, PART_FMA(s, q, PART_ALL(0x1.555556p-27f)), rest);
  rest = PART_FMA(s_low, PART_ALL(-0.25f), rest);
  PART_FLOATS base = PART_SELECT(steep, PART_ALL(0x1.921fb6p0f), PART_ALL(0x1.921fb6p-1f));
  base = (PART_FLOATS)((PART_INTS)base & turned);
  INVERSE_SUM(&y, base, t, first, rest, lost * inverse);
  *(PART_OPERAND *)to = (PART_FLOATS)((PART_INTS)y | sign);
}

PART_LOOP(asin)
PART_LOOP(acos)
PART_LOOP(atan)
