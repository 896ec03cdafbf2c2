// Elementwise erfc and erfinv over contiguous floats; included after wide_math_body.h and
// vector_tables_body.h, under the same rules: polynomials whose coefficients are looked up
// (error_tables.h).

// A tabulated function of the distance from the center, as high + low. The polynomial in the table
// has this degree.
MATH_INLINE LEVEL(polynomial_looked_up)(
    const float (*table)[32], int degree, const PART_INTS *number, const PART_FLOATS *distance,
    PART_FLOATS *high, PART_FLOATS *low) {
  PART_FLOATS d = *distance, sum, first, constant, coefficient;
  LEVEL(look_up)(table[degree + 1], number, &sum);
  for (int k = degree; k > 2; k--) {
    LEVEL(look_up)(table[k], number, &coefficient);
    sum = PART_FMA(sum, d, coefficient);
  }
  LEVEL(look_up)(table[2], number, &first);
  LEVEL(look_up)(table[1], number, &constant);
  PART_FLOATS slope = PART_FMA(sum, d, first);
  PART_FLOATS slope_low = PART_FMA(sum, d, first - slope);
  *high = PART_FMA(slope, d, constant);
  *low = PART_FMA(slope_low, d, PART_FMA(slope, d, constant - *high));
}

// erfc |x| up to 4; for negative x, 2 minus that.
MATH_INLINE LEVEL(near_erfc_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), center, high, low;
  PART_FLOATS size = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  PART_INTS sign = (PART_INTS)x & (int)0x80000000;
  PART_FLOATS factor = PART_FMA(size, PART_ALL(NORMA_ERFC_FACTOR), PART_ALL(NORMA_ERFC_OFFSET));
  PART_INTS number = (PART_INTS)PART_FMA(factor, size, PART_ALL(MATH_TO_INTEGER));
  LEVEL(look_up)(norma_erfc_table[0], &number, &center);
  PART_FLOATS distance = size - center;
  LEVEL(polynomial_looked_up)(norma_erfc_table, 6, &number, &distance, &high, &low);
  PART_FLOATS base = (PART_FLOATS)((PART_INTS)PART_ALL(2.0f) & (sign >> 31));
  high = (PART_FLOATS)((PART_INTS)high ^ sign);
  low = (PART_FLOATS)((PART_INTS)low ^ sign);
  PART_FLOATS sum = base + high;
  *(PART_OPERAND *)to = sum + (((base - sum) + high) + low);
}

// Blocks with a number beyond 4, or NaN, also take the slow path.
// Worst error: 0.5834 at 3.92216516 (0x1.f60982p+1).
MATH_INLINE LEVEL(erfc_lanes)(const float *from, float *to) {
  MATH_FLOATS x = *(const MATH_OPERAND *)from, y;
  for (int i = 0; i < MATH_LANES; i += PART_LANES) LEVEL(near_erfc_part)(from + i, to + i);
  if (!MATH_ANY_BEYOND(x, NORMA_ERFC_END)) return;
  LEVEL(far_erfc)(&x, &y);
  MATH_INTS near = MATH_SIZE(x) <= NORMA_ERFC_END;
  *(MATH_OPERAND *)to = MATH_SELECT(near, *(MATH_OPERAND *)to, y);
}

// y (1 + s (first + s q(s))) root(pi) / 2, s = y^2, up to 1/2; from there by 1 - |y|, which is
// exact. Worst error: 0.5873 at 0.500183463 (0x1.00180cp-1).
MATH_INLINE LEVEL(erfinv_part)(const float *from, float *to) {
  PART_FLOATS x = PART_LOAD(from), center, high, low;
  PART_FLOATS size = (PART_FLOATS)((PART_INTS)x & 0x7fffffff);
  PART_INTS sign = (PART_INTS)x & (int)0x80000000, near = size <= 0.5f;

  PART_INTS bits = (PART_INTS)(1.0f - size), number = bits >> 23;
  PART_FLOATS mantissa = (PART_FLOATS)((bits & 0x7fffff) | 0x3f800000);
  LEVEL(look_up)(norma_erfinv_table[0], &number, &center);
  PART_FLOATS distance = mantissa - center;
  LEVEL(polynomial_looked_up)(norma_erfinv_table, 9, &number, &distance, &high, &low);

  PART_FLOATS s = size * size;
  PART_FLOATS q = PART_FMA(s, PART_ALL(0x1.7540e2p-4f), PART_ALL(0x1.2b29cep-6f));
  q = PART_FMA(q, s, PART_ALL(0x1.d1df4ap-5f));
  q = PART_FMA(q, s, PART_ALL(0x1.07d4bcp-4f));
  q = PART_FMA(q, s, PART_ALL(0x1.62a20ep-4f));
  q = PART_FMA(q, s, PART_ALL(0x1.053be4p-3f));
  PART_FLOATS first = s * 0x1.db29fcp-3f, rest = PART_FMA(s, PART_ALL(0x1.db29fcp-3f), -first);
  rest = PART_FMA(s, PART_FMA(s, q, PART_ALL(-0x1.a02344p-28f)), rest);
  rest = PART_FMA(PART_FMA(size, size, -s), PART_ALL(0.27f), rest);
  // root(pi) / 2 in two parts.
  PART_FLOATS large = size * 0x1.c5bf8ap-1f, middle = size * first, sum = large + middle;
  PART_FLOATS small = PART_FMA(size, PART_ALL(0x1.c5bf8ap-1f), -large) + ((large - sum) + middle);
  small = PART_FMA(size, rest - 0x1.c96212p-26f, PART_FMA(size, first, -middle) + small);
  PART_FLOATS y = PART_SELECT(near, sum, high) + PART_SELECT(near, small, low);
  if (__builtin_reduce_or(~(size < 1.0f) | (size < 0x1p-100f))) {
    typedef double part_doubles __attribute__((vector_size(2 * MATH_LANES)));
    // Small parts of numbers near zero would be subnormal.
    PART_FLOATS product = __builtin_convertvector(
        __builtin_convertvector(size, part_doubles) * 0x1.c5bf891b4ef6bp-1, PART_FLOATS);
    PART_FLOATS special = PART_SELECT(
        size == 1.0f, PART_ALL(__builtin_inff()), PART_ALL(__builtin_nanf("")));
    y = PART_SELECT(size < 1.0f, y, special);
    y = PART_SELECT(size < 0x1p-100f, product, y);
  }
  *(PART_OPERAND *)to = (PART_FLOATS)((PART_INTS)y | sign);
}

MATH_LOOP(erfc)
PART_LOOP(erfinv)
