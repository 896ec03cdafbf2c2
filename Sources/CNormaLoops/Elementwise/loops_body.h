// Elementwise loops; included once per instruction set with LEVEL defined.

#define OUT_VECTORS(T) for (; i + LANES(T) <= n; i += LANES(T))

#define ONE_OPERAND(name, T, V, R, put, scalar)                                                 \
  static void LEVEL(name)(size_t n, const void *const *operands, void *out) {                   \
    const T *p = operands[0];                                                                   \
    R *r = out;                                                                                 \
    size_t i = 0;                                                                               \
    OUT_VECTORS(T) {                                                                            \
      V a = LOAD(V, p + i);                                                                     \
      put;                                                                                      \
    }                                                                                           \
    for (; i < n; i++) {                                                                        \
      T a = p[i];                                                                               \
      r[i] = (R)(scalar);                                                                       \
    }                                                                                           \
  }

#define UNARY(name, T, V, M, vector, scalar)                                                    \
  ONE_OPERAND(name, T, V, T, STORE(V, r + i, vector), scalar)

// A loop over operands a and b, the last two of all, which `put` and `scalar` use; c is the first
// one, in bytes. Its forms: two blocks, a single value on the right, a single value on the left.
#define TWO_OPERANDS(name, first, T, V, R, put, scalar)                                         \
  FORM(name##_vv, first, T, V, R, LOAD(V, p + i), LOAD(V, q + i), p[i], q[i], put, scalar)      \
  FORM(name##_vs, first, T, V, R, LOAD(V, p + i), right, p[i], q[0], put, scalar)               \
  FORM(name##_sv, first, T, V, R, left, LOAD(V, q + i), p[0], q[i], put, scalar)

#define FORM(name, first, T, V, R, va, vb, sa, sb, put, scalar)                                 \
  static void LEVEL(name)(size_t n, const void *const *operands, void *out) {                   \
    const uint8_t *c = operands[0];                                                             \
    const T *p = operands[first], *q = operands[first + 1];                                     \
    R *r = out;                                                                                 \
    size_t i = 0;                                                                               \
    (void)c;                                                                                    \
    if (n >= LANES(T)) {                                                                        \
      const V left = (V){0} + p[0], right = (V){0} + q[0];                                      \
      (void)left, (void)right;                                                                  \
      OUT_VECTORS(T) {                                                                          \
        V a = va, b = vb;                                                                       \
        put;                                                                                    \
      }                                                                                         \
    }                                                                                           \
    for (; i < n; i++) {                                                                        \
      T a = sa, b = sb;                                                                         \
      r[i] = (R)(scalar);                                                                       \
    }                                                                                           \
  }

#define BINARY(name, T, V, M, vector, scalar)                                                   \
  TWO_OPERANDS(name, 0, T, V, T, STORE(V, r + i, vector), scalar)

// Comparisons write one byte, 0 or 1, per element: the value of `test`, in terms of a and b.
#define BYTES(N, test) STORE(N, r + i, __builtin_convertvector(test, N) & 1)
#define COMPARE(name, T, V, N, test)                                                            \
  TWO_OPERANDS(name, 0, T, V, uint8_t, BYTES(N, test), test)

#define CHOSEN(V, M, N)                                                                         \
  M mask = __builtin_convertvector(LOAD(N, c + i), M) != 0;                                     \
  STORE(V, r + i, CHOOSE(V, M, mask, a, b))
#define SELECT(name, T, V, M, N)                                                                \
  TWO_OPERANDS(name, 1, T, V, T, CHOSEN(V, M, N), c[i] ? a : b)                                 \
  FORM(name##_ss, 1, T, V, T, left, right, p[0], q[0], CHOSEN(V, M, N), c[i] ? a : b)

// Minimum and maximum propagate NaN from either side.
#define FLOATING(s, T, V, M, N)                                                                 \
  UNARY(neg_##s, T, V, M, -a, -a)                                                               \
  UNARY(abs_##s, T, V, M, (V)((M)a & ~(M)(-(V){0})), __builtin_fabs(a))               \
  BINARY(add_##s, T, V, M, a + b, a + b)                                                        \
  BINARY(sub_##s, T, V, M, a - b, a - b)                                                        \
  BINARY(mul_##s, T, V, M, a *b, a *b)                                                          \
  BINARY(div_##s, T, V, M, a / b, a / b)                                                        \
  BINARY(min_##s, T, V, M, CHOOSE(V, M, (a < b) | (a != a), a, b), a < b || a != a ? a : b)     \
  BINARY(max_##s, T, V, M, CHOOSE(V, M, (a > b) | (a != a), a, b), a > b || a != a ? a : b)     \
  BINARY(gate_##s, T, V, M, CHOOSE(V, M, a > 0, b, (V){0}), a > 0 ? b : 0)                      \
  COMPARISONS(s, T, V, N)                                                                       \
  SELECT(select_##s, T, V, M, N)

// Sums and products of integers wrap, so they are computed in the unsigned type of the same width.
#define INTEGER(s, T, V, U, W, N)                                                               \
  UNARY(neg_##s, U, W, W, -a, -a)                                                               \
  BINARY(add_##s, U, W, W, a + b, a + b)                                                        \
  BINARY(sub_##s, U, W, W, a - b, a - b)                                                        \
  BINARY(mul_##s, U, W, W, a *b, a *b)                                                          \
  BINARY(min_##s, T, V, V, CHOOSE(V, V, a < b, a, b), a < b ? a : b)                            \
  BINARY(max_##s, T, V, V, CHOOSE(V, V, a > b, a, b), a > b ? a : b)                            \
  COMPARISONS(s, T, V, N)                                                                       \
  SELECT(select_##s, T, V, V, N)

#define ORDER(s, T, V, N)                                                                       \
  COMPARE(lt_##s, T, V, N, a < b)                                                               \
  COMPARE(le_##s, T, V, N, a <= b)                                                              \
  COMPARE(gt_##s, T, V, N, a > b)                                                               \
  COMPARE(ge_##s, T, V, N, a >= b)

#define COMPARISONS(s, T, V, N)                                                                 \
  COMPARE(eq_##s, T, V, N, a == b)                                                              \
  COMPARE(ne_##s, T, V, N, a != b)                                                              \
  ORDER(s, T, V, N)                                                                             \
  COMPARE(logical_and_##s, T, V, N, (a != 0) & (b != 0))                                        \
  COMPARE(logical_or_##s, T, V, N, (a != 0) | (b != 0))                                         \
  COMPARE(logical_xor_##s, T, V, N, (a != 0) ^ (b != 0))

FLOATING(f32, float, f32v, i32v, u8x16)
FLOATING(f64, double, f64v, i64v, u8x8)
INTEGER(i64, int64_t, i64v, uint64_t, u64v, u8x8)
INTEGER(i32, int32_t, i32v, uint32_t, u32v, u8x16)
INTEGER(u8, uint8_t, u8v, uint8_t, u8v, u8v)
// Operations that depend on the sign; all others are those of int64.
BINARY(min_u64, uint64_t, u64v, u64v, CHOOSE(u64v, u64v, a < b, a, b), a < b ? a : b)
BINARY(max_u64, uint64_t, u64v, u64v, CHOOSE(u64v, u64v, a > b, a, b), a > b ? a : b)
ORDER(u64, uint64_t, u64v, u8x8)
UNARY(abs_i64, uint64_t, u64v, i64v, CHOOSE(u64v, i64v, (i64v)a < 0, -a, a),
      (int64_t)a < 0 ? -a : a)
UNARY(abs_i32, uint32_t, u32v, i32v, CHOOSE(u32v, i32v, (i32v)a < 0, -a, a),
      (int32_t)a < 0 ? -a : a)
UNARY(abs_u8, uint8_t, u8v, u8v, a, a)
UNARY(abs_u64, uint64_t, u64v, u64v, a, a)

// Correctly rounded in scalars as well as in vectors. (The library function would set errno, which
// prevents the compiler from vectorizing.)
UNARY(sqrt_f32, float, f32v, f32v, __builtin_elementwise_sqrt(a), __builtin_elementwise_sqrt(a))
UNARY(sqrt_f64, double, f64v, f64v, __builtin_elementwise_sqrt(a), __builtin_elementwise_sqrt(a))
UNARY(rsqrt_f32, float, f32v, f32v, 1 / __builtin_elementwise_sqrt(a),
      1 / __builtin_elementwise_sqrt(a))
UNARY(rsqrt_f64, double, f64v, f64v, 1 / __builtin_elementwise_sqrt(a),
      1 / __builtin_elementwise_sqrt(a))

#include "exact_loops_body.h"

// Copies one value to a whole block.
#define SPREAD(name, T, V)                                                                      \
  static void LEVEL(name)(size_t n, const void *const *operands, void *out) {                   \
    const T value = *(const T *)operands[0];                                                    \
    T *r = out;                                                                                 \
    size_t i = 0;                                                                               \
    OUT_VECTORS(T) STORE(V, r + i, (V){0} + value);                                             \
    for (; i < n; i++) r[i] = value;                                                            \
  }
SPREAD(spread_8, uint8_t, u8v)
SPREAD(spread_32, uint32_t, u32v)
SPREAD(spread_64, uint64_t, u64v)

#define FORMS(name, s) {LEVEL(name##_##s##_vv), LEVEL(name##_##s##_sv), LEVEL(name##_##s##_vs)}
#define ONE(name, s) {LEVEL(name##_##s)}

// [operation][type][bits of single operands]
static const norma_loop LEVEL(loops)[NORMA_OPERATION_COUNT][NORMA_TYPE_COUNT][4] = {
#define ALL_OF(OP, name, how, unsigned64) \
  [OP] = {how(name, f32), how(name, f64), how(name, i64), how(name, i32), how(name, u8), \
          how(name, unsigned64)},
// With separate loops for uint64, or with those of int64, whose bits are the same.
#define ALL_TYPES(OP, name, how) ALL_OF(OP, name, how, u64)
#define ALL_ALIKE(OP, name, how) ALL_OF(OP, name, how, i64)
    ALL_ALIKE(NORMA_NEGATE, neg, ONE)
    ALL_TYPES(NORMA_ABS, abs, ONE)
    [NORMA_SQRT] = {ONE(sqrt, f32), ONE(sqrt, f64)},
    [NORMA_RSQRT] = {ONE(rsqrt, f32), ONE(rsqrt, f64)},
    [NORMA_FLOOR] = {ONE(floor, f32), ONE(floor, f64)},
    [NORMA_CEIL] = {ONE(ceil, f32), ONE(ceil, f64)},
    [NORMA_ROUND] = {ONE(round, f32), ONE(round, f64)},
    [NORMA_TRUNC] = {ONE(trunc, f32), ONE(trunc, f64)},
    [NORMA_FRAC] = {ONE(frac, f32), ONE(frac, f64)},
    ALL_TYPES(NORMA_SIGN, sign, ONE)
    [NORMA_SIGN_BIT] = {ONE(sign_bit, f32), ONE(sign_bit, f64)},
    ALL_ALIKE(NORMA_ADD, add, FORMS)
    ALL_ALIKE(NORMA_SUBTRACT, sub, FORMS)
    ALL_ALIKE(NORMA_MULTIPLY, mul, FORMS)
    [NORMA_DIVIDE] = {FORMS(div, f32), FORMS(div, f64)},
    ALL_TYPES(NORMA_MINIMUM, min, FORMS)
    ALL_TYPES(NORMA_MAXIMUM, max, FORMS)
    [NORMA_GATE] = {FORMS(gate, f32), FORMS(gate, f64)},
    [NORMA_TRUNC_DIVIDE] = {FORMS(trunc_divide, f32), FORMS(trunc_divide, f64)},
    [NORMA_FMIN] = {FORMS(fmin, f32), FORMS(fmin, f64)},
    [NORMA_FMAX] = {FORMS(fmax, f32), FORMS(fmax, f64)},
    [NORMA_COPY_SIGN] = {FORMS(copy_sign, f32), FORMS(copy_sign, f64)},
    [NORMA_NEXT_AFTER] = {FORMS(next_after, f32), FORMS(next_after, f64)},
    [NORMA_FINITE] = {FORMS(finite, f32), FORMS(finite, f64)},
    [NORMA_ROUND_DECIMAL] = {FORMS(round_decimal, f32), FORMS(round_decimal, f64)},
    ALL_TYPES(NORMA_HEAVISIDE, heaviside, FORMS)
#define INTEGER_TYPES(OP, name, unsigned64) \
  [OP] = {[NORMA_I64] = FORMS(name, i64), [NORMA_I32] = FORMS(name, i32), \
          [NORMA_U8] = FORMS(name, u8), [NORMA_U64] = FORMS(name, unsigned64)},
    INTEGER_TYPES(NORMA_AND, and, i64)
    INTEGER_TYPES(NORMA_OR, or, i64)
    INTEGER_TYPES(NORMA_XOR, xor, i64)
    INTEGER_TYPES(NORMA_SHIFT_LEFT, shift_left, i64)
    INTEGER_TYPES(NORMA_SHIFT_RIGHT, shift_right, u64)
    ALL_ALIKE(NORMA_EQUAL, eq, FORMS)
    ALL_ALIKE(NORMA_NOT_EQUAL, ne, FORMS)
    ALL_TYPES(NORMA_LESS, lt, FORMS)
    ALL_TYPES(NORMA_LESS_OR_EQUAL, le, FORMS)
    ALL_TYPES(NORMA_GREATER, gt, FORMS)
    ALL_TYPES(NORMA_GREATER_OR_EQUAL, ge, FORMS)
    ALL_ALIKE(NORMA_LOGICAL_AND, logical_and, FORMS)
    ALL_ALIKE(NORMA_LOGICAL_OR, logical_or, FORMS)
    ALL_ALIKE(NORMA_LOGICAL_XOR, logical_xor, FORMS)
};
// Bits 1 and 2 of `singles`: the condition is always a block.
static const norma_loop LEVEL(selects)[NORMA_TYPE_COUNT][4] = {
#define SELECTS(s) \
  {LEVEL(select_##s##_vv), LEVEL(select_##s##_sv), LEVEL(select_##s##_vs), LEVEL(select_##s##_ss)}
    SELECTS(f32), SELECTS(f64), SELECTS(i64), SELECTS(i32), SELECTS(u8),
    SELECTS(i64)  // uint64
};
// Bit 2 of `singles`: the weight.
static const norma_loop LEVEL(lerps)[2][2] = {
    {LEVEL(lerp_f32_v), LEVEL(lerp_f32_s)}, {LEVEL(lerp_f64_v), LEVEL(lerp_f64_s)}};
#include "normalize_body.h"

static const norma_loop LEVEL(spreads)[NORMA_TYPE_COUNT] = {
    LEVEL(spread_32), LEVEL(spread_64), LEVEL(spread_64), LEVEL(spread_32), LEVEL(spread_8),
    LEVEL(spread_64)};

norma_loop LEVEL(norma_find_loop)(int operation, int type, unsigned singles) {
  if (operation == NORMA_SPREAD) return LEVEL(spreads)[type];
  if (operation == NORMA_LERP) {
    return singles & 3 || type > NORMA_F64 ? 0 : LEVEL(lerps)[type][singles >> 2];
  }
  if (operation == NORMA_SELECT) {
    return singles & 1 ? 0 : LEVEL(selects)[type][(singles >> 1) & 3];
  }
  if (operation >= NORMA_NORMALIZE) return LEVEL(find_normalization)(operation, type, singles);
  return singles < 4 ? LEVEL(loops)[operation][type][singles] : 0;
}
