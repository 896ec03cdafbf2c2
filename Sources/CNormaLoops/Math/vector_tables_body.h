// Tables of 32 floats from which every lane looks up an entry; included after vector_math_body.h,
// under the same rules but one: functions with tables use fused multiply-adds, which are emulated
// in double on processors without them.
//
// One register at a time, because a look-up takes a full register: one permutation, or four.

#define PART_LANES (MATH_LANES / 4)
#define PART_FLOATS LEVEL(part_floats)
#define PART_INTS LEVEL(part_ints)
#define PART_OPERAND LEVEL(part_operand)
#define PART_ALL(v) ((v) - (PART_FLOATS){0})
#define PART_SELECT(mask, yes, no) \
  ((PART_FLOATS)(((PART_INTS)(yes) & (mask)) | ((PART_INTS)(no) & ~(mask))))
#define PART_LOAD(from) (*(const PART_OPERAND *)(from))
#define PART_LOOP(name)                                                                     \
  MATH_INLINE LEVEL(name##_lanes)(const float *from, float *to) {                           \
    for (int i = 0; i < MATH_LANES; i += PART_LANES) LEVEL(name##_part)(from + i, to + i);  \
  }                                                                                         \
  MATH_LOOP(name)

typedef float PART_FLOATS __attribute__((vector_size(MATH_LANES)));
typedef int PART_INTS __attribute__((vector_size(MATH_LANES)));
typedef float PART_OPERAND __attribute__((vector_size(MATH_LANES), aligned(4)));

#undef PART_FMA
#if defined(__x86_64__) && MATH_LANES == 16 && !defined(__FMA__)
#define PART_FMA(a, b, c) LEVEL(fused)(a, b, c)
// a b is exact in double. The sum is rounded to odd, which preserves on which side of a float, or
// of the middle of two, it lies, and then to float.
static inline __attribute__((always_inline)) PART_FLOATS LEVEL(fused)(
    PART_FLOATS a, PART_FLOATS b, PART_FLOATS c) {
  typedef double doubles __attribute__((vector_size(32)));
  typedef long long longs __attribute__((vector_size(32)));
  doubles product = __builtin_convertvector(a, doubles) * __builtin_convertvector(b, doubles);
  doubles addend = __builtin_convertvector(c, doubles), sum = product + addend;
  doubles part = sum - product, lost = (product - (sum - part)) + (addend - part);
  longs bits = (longs)sum, inexact = (lost > 0.0) | (lost < 0.0), even = (bits & 1) - 1;
  longs towards_zero = ((longs)lost ^ bits) >> 63;
  bits += inexact & even & (towards_zero | 1);
  return __builtin_convertvector((doubles)bits, PART_FLOATS);
}
#else
#define PART_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#endif

// Table entries indexed by the low five bits of each lane.
MATH_INLINE LEVEL(look_up)(const float *table, const PART_INTS *number, PART_FLOATS *result) {
#if MATH_LANES == 64
  *result = __builtin_ia32_vpermi2varps512(PART_LOAD(table), *number, PART_LOAD(table + 16));
#elif MATH_LANES == 32
  PART_INTS odd = *number << 28 >> 31, upper = *number << 27 >> 31;
  PART_FLOATS first = __builtin_ia32_permvarsf256(PART_LOAD(table), *number);
  PART_FLOATS second = __builtin_ia32_permvarsf256(PART_LOAD(table + 8), *number);
  PART_FLOATS third = __builtin_ia32_permvarsf256(PART_LOAD(table + 16), *number);
  PART_FLOATS last = __builtin_ia32_permvarsf256(PART_LOAD(table + 24), *number);
  first = PART_SELECT(odd, second, first);
  last = PART_SELECT(odd, last, third);
  *result = PART_SELECT(upper, last, first);
#else
  for (int i = 0; i < PART_LANES; i++) (*result)[i] = table[(*number)[i] & 31];
#endif
}

// 1 / x for normal x within 1 %: the negated exponent, and one step of Newton's method. `more` is
// 2.0072, or slightly more if the result should be larger.
MATH_INLINE LEVEL(rough_inverse)(
    const PART_FLOATS *x, const PART_FLOATS *more, PART_FLOATS *result) {
  PART_FLOATS guess = (PART_FLOATS)(0x7ef311c3 - (PART_INTS)*x);
  *result = guess * PART_FMA(-*x, guess, *more);
}
