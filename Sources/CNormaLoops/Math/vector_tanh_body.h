// Elementwise tanh over contiguous floats; included after vector_tables_body.h, under the same
// rules.

// tanh x = x + x s p(s), s = x^2, below 0.65; from there 1 - 2 / (e^2|x| + 1), whose second term is
// less than half the result, so that its error matters less.
// Worst error: 1.4262 at 0.652540624 (0x1.4e19cep-1).
MATH_INLINE LEVEL(tanh_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), s = x * x;
  PART_INTS bits = (PART_INTS)x;
  PART_FLOATS size = (PART_FLOATS)(bits & 0x7fffffff);
  PART_FLOATS p = PART_FMA(s, PART_ALL(-0x1.6968fap-8f), PART_ALL(0x1.4f5d36p-6f));
  p = PART_FMA(p, s, PART_ALL(-0x1.b7cfb2p-5f));
  p = PART_FMA(p, s, PART_ALL(0x1.1103fp-3f));
  p = PART_FMA(p, s, PART_ALL(-0x1.555524p-2f));
  PART_FLOATS near = PART_FMA(size * s, p, size);
  // From 9.02 on the result rounds to 1. The power is 2^n 2^r with the polynomial of exp2_of_rest.
  PART_FLOATS a = PART_SELECT(size > 10.0f, PART_ALL(10.0f), size);
  PART_FLOATS shifted = PART_FMA(a, PART_ALL(0x1.715476p1f), PART_ALL(MATH_TO_INTEGER));
  PART_FLOATS r = PART_FMA(a, PART_ALL(0x1.715476p1f), -(shifted - MATH_TO_INTEGER));
  PART_FLOATS q = PART_FMA(r, PART_ALL(0x1.470bb8p-13f), PART_ALL(0x1.5f72acp-10f));
  q = PART_FMA(q, r, PART_ALL(0x1.3b270ep-7f));
  q = PART_FMA(q, r, PART_ALL(0x1.c6ae72p-5f));
  q = PART_FMA(q, r, PART_ALL(0x1.ebfbe2p-3f));
  q = PART_FMA(q, r, PART_ALL(0x1.62e432p-1f));
  q = PART_FMA(q, r, PART_ALL(1.0f));
  PART_FLOATS e = (PART_FLOATS)((PART_INTS)q + ((PART_INTS)shifted << 23));
  PART_FLOATS far = 1.0f - 2.0f / (e + 1.0f);
  PART_FLOATS y = PART_SELECT(size >= 0.65f, far, near);
  *(PART_OPERAND *)to = (PART_FLOATS)((PART_INTS)y | (bits & (int)0x80000000));
}
PART_LOOP(tanh)
