// Loops whose results are exact: rounding, signs, neighbours and bits; included by loops_body.h.

#define SIGN_OF(V, M) ((M)(-(V){0}))

// The next number after a towards b: the bit pattern one further from zero, or one nearer to it.
#define NEXT_AFTER(V, M)                                                                        \
  CHOOSE(V, M, (a != a) | (b != b), a + b,                                                      \
         CHOOSE(V, M, a == b, b,                                                                \
                CHOOSE(V, M, a == 0, ((M)b & SIGN_OF(V, M)) | 1,                                \
                       (M)a + (M)((((a < b) ^ (a > 0)) << 1) + 1))))

// Computed from the nearer end, so that weight 1 gives b exactly.
#define LERP(name, T, V, M, vector_weight, scalar_weight)                                       \
  static void LEVEL(name)(size_t n, const void *const *operands, void *out) {                   \
    const T *p = operands[0], *q = operands[1], *w = operands[2];                               \
    T *r = out;                                                                                 \
    size_t i = 0;                                                                               \
    if (n >= LANES(T)) {                                                                        \
      const V weight = (V){0} + w[0];                                                           \
      (void)weight;                                                                             \
      OUT_VECTORS(T) {                                                                          \
        V a = LOAD(V, p + i), b = LOAD(V, q + i), t = vector_weight, way = b - a;               \
        M near = (M)((t < (T)0.5) & (t > (T)-0.5));                                             \
        STORE(V, r + i, CHOOSE(V, M, near, a + way * t, b - way * (1 - t)));                    \
      }                                                                                         \
    }                                                                                           \
    for (; i < n; i++) {                                                                        \
      T a = p[i], b = q[i], t = scalar_weight, way = b - a;                                     \
      r[i] = t < (T)0.5 && t > (T)-0.5 ? a + way * t : b - way * (1 - t);                       \
    }                                                                                           \
  }

#define EXACT_FLOATING(s, T, V, M, N, next)                                                     \
  UNARY(floor_##s, T, V, M, __builtin_elementwise_floor(a), __builtin_elementwise_floor(a))     \
  UNARY(ceil_##s, T, V, M, __builtin_elementwise_ceil(a), __builtin_elementwise_ceil(a))        \
  UNARY(round_##s, T, V, M, __builtin_elementwise_rint(a), __builtin_elementwise_rint(a))       \
  UNARY(trunc_##s, T, V, M, __builtin_elementwise_trunc(a), __builtin_elementwise_trunc(a))     \
  UNARY(frac_##s, T, V, M, a - __builtin_elementwise_trunc(a),                                  \
        a - __builtin_elementwise_trunc(a))                                                     \
  UNARY(sign_##s, T, V, M,                                                                      \
        (V)(((M)((V){0} + 1) & (M)(a > 0)) | ((M)((V){0} - 1) & (M)(a < 0))),                   \
        (a > 0) - (a < 0))                                                                      \
  ONE_OPERAND(sign_bit_##s, T, V, uint8_t, BYTES(N, (M)a < 0), __builtin_signbit(a) != 0)       \
  BINARY(trunc_divide_##s, T, V, M, __builtin_elementwise_trunc(a / b),                         \
         __builtin_elementwise_trunc(a / b))                                                    \
  BINARY(fmin_##s, T, V, M, CHOOSE(V, M, (a <= b) | (b != b), a, b), a <= b || b != b ? a : b)  \
  BINARY(fmax_##s, T, V, M, CHOOSE(V, M, (a >= b) | (b != b), a, b), a >= b || b != b ? a : b)  \
  BINARY(copy_sign_##s, T, V, M,                                                                \
         (V)(((M)a & ~SIGN_OF(V, M)) | ((M)b & SIGN_OF(V, M))), __builtin_copysign(a, b))       \
  BINARY(next_after_##s, T, V, M, NEXT_AFTER(V, M), next(a, b))                                 \
  BINARY(finite_##s, T, V, M,                                                                   \
         CHOOSE(V, M, a != a, (V){0}, CHOOSE(V, M, a > b, b, CHOOSE(V, M, a < -b, -b, a))),     \
         a != a ? 0 : a > b ? b : a < -b ? -b : a)                                              \
  /* What the factor makes infinite has no decimals. */                                         \
  BINARY(round_decimal_##s, T, V, M,                                                            \
         CHOOSE(V, M, a * b - a * b == 0, __builtin_elementwise_rint(a * b) / b, a),            \
         a * b - a * b == 0 ? __builtin_elementwise_rint(a * b) / b : a)                        \
  BINARY(heaviside_##s, T, V, M,                                                                \
         CHOOSE(V, M, a == 0, b, (M)((V){0} + 1) & (M)(a > 0)), a == 0 ? b : a > 0)             \
  LERP(lerp_##s##_v, T, V, M, LOAD(V, w + i), w[i])                                             \
  LERP(lerp_##s##_s, T, V, M, weight, w[0])

// Vectors must not be shifted by more than their bits, so the shift is clamped and the result
// selected.
#define EXACT_INTEGER(s, T, V, U, W, bits)                                                      \
  OF_SIGN(s, T, V, U, W, bits)                                                                  \
  BINARY(and_##s, T, V, V, a & b, a & b)                                                        \
  BINARY(or_##s, T, V, V, a | b, a | b)                                                         \
  BINARY(xor_##s, T, V, V, a ^ b, a ^ b)                                                        \
  BINARY(shift_left_##s, U, W, W, CHOOSE(W, W, b < bits, a << (b & (bits - 1)), (W){0}),        \
         b < bits ? a << b : 0)

// Operations that depend on the sign.
#define OF_SIGN(s, T, V, U, W, bits)                                                            \
  UNARY(sign_##s, T, V, V, ((V)(a > 0) & 1) | (V)(a < 0), (a > 0) - (a < 0))                    \
  BINARY(heaviside_##s, T, V, V, CHOOSE(V, V, a == 0, b, (V)(a > 0) & 1), a == 0 ? b : a > 0)   \
  BINARY(shift_right_##s, T, V, V,                                                              \
         CHOOSE(V, V, (W)b < bits, a >> (b & (bits - 1)), (V)(a < 0)),                          \
         (U)b < bits ? a >> b : -(a < 0))

EXACT_FLOATING(f32, float, f32v, i32v, u8x16, __builtin_nextafterf)
EXACT_FLOATING(f64, double, f64v, i64v, u8x8, __builtin_nextafter)
EXACT_INTEGER(i64, int64_t, i64v, uint64_t, u64v, 64)
EXACT_INTEGER(i32, int32_t, i32v, uint32_t, u32v, 32)
EXACT_INTEGER(u8, uint8_t, u8v, uint8_t, u8v, 8)
OF_SIGN(u64, uint64_t, u64v, uint64_t, u64v, 64)
