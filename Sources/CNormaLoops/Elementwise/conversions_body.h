// Conversions between element types; included once per instruction set with LEVEL defined.

// Eight elements at a time: exact, correctly rounded or wrapping, as in C.
#define CONVERT(from, F, A, to, T, B)                                                        \
  static void LEVEL(from##_##to)(size_t n, const void *const *operands, void *out) {   \
    const F *p = operands[0];                                                          \
    T *r = out;                                                                        \
    size_t i = 0;                                                                      \
    for (; i + 8 <= n; i += 8) {                                                       \
      A a = LOAD(A, p + i);                                                            \
      STORE(B, r + i, __builtin_convertvector(a, B));                                  \
    }                                                                                  \
    for (; i < n; i++) r[i] = (T)p[i];                                                 \
  }
CONVERT(f32, float, f32h, f64, double, f64v)
CONVERT(f64, double, f64v, f32, float, f32h)
CONVERT(i64, int64_t, i64v, f32, float, f32h)
CONVERT(i64, int64_t, i64v, f64, double, f64v)
CONVERT(i32, int32_t, i32h, f32, float, f32h)
CONVERT(i32, int32_t, i32h, f64, double, f64v)
CONVERT(u8, uint8_t, u8x8, f32, float, f32h)
CONVERT(u8, uint8_t, u8x8, f64, double, f64v)
CONVERT(i64, int64_t, i64v, i32, int32_t, i32h)
CONVERT(i64, int64_t, i64v, u8, uint8_t, u8x8)
CONVERT(i32, int32_t, i32h, i64, int64_t, i64v)
CONVERT(i32, int32_t, i32h, u8, uint8_t, u8x8)
CONVERT(u8, uint8_t, u8x8, i64, int64_t, i64v)
CONVERT(u8, uint8_t, u8x8, i32, int32_t, i32h)
CONVERT(u64, uint64_t, u64v, f32, float, f32h)
CONVERT(u64, uint64_t, u64v, f64, double, f64v)
CONVERT(i64, int64_t, i64v, u64, uint64_t, u64v)  // and back

#define EACH(name, F, T, expression)                                                   \
  static void LEVEL(name)(size_t n, const void *const *operands, void *out) {          \
    const F *p = operands[0];                                                          \
    T *r = out;                                                                        \
    for (size_t i = 0; i < n; i++) {                                                   \
      F a = p[i];                                                                      \
      r[i] = expression;                                                               \
    }                                                                                  \
  }
// Where C leaves the result undefined, it is that of x86-64: NaN and values out of range give the
// smallest integer; bytes and 16-bit integers are the low bits of a 32-bit one. Negative numbers
// give the bits of an int64 as uint64.
#define TO_I64(a) ((a) >= -0x1p63 && (a) < 0x1p63 ? (int64_t)(a) : INT64_MIN)
#define TO_U64(a) ((a) >= 0x1p63 && (a) < 0x1p64 ? (uint64_t)(a) : (uint64_t)TO_I64(a))
#define TO_I32(a) ((a) > -2147483649.0 && (a) < 2147483648.0 ? (int32_t)(a) : INT32_MIN)
EACH(f32_i64, float, int64_t, TO_I64(a))
EACH(f64_i64, double, int64_t, TO_I64(a))
EACH(f32_u64, float, uint64_t, TO_U64(a))
EACH(f64_u64, double, uint64_t, TO_U64(a))
EACH(f32_i32, float, int32_t, TO_I32((double)a))
EACH(f64_i32, double, int32_t, TO_I32(a))
EACH(f32_u8, float, uint8_t, (uint8_t)TO_I32((double)a))
EACH(f64_u8, double, uint8_t, (uint8_t)TO_I32(a))
EACH(f32_bool, float, uint8_t, a != 0)
EACH(f64_bool, double, uint8_t, a != 0)
EACH(i64_bool, int64_t, uint8_t, a != 0)
EACH(i32_bool, int32_t, uint8_t, a != 0)
EACH(u8_bool, uint8_t, uint8_t, a != 0)
EACH(f16_f32, uint16_t, float, norma_from_f16(a))
EACH(bf16_f32, uint16_t, float, norma_from_bf16(a))
EACH(f32_f16, float, uint16_t, norma_to_f16(a))
EACH(f32_bf16, float, uint16_t, norma_to_bf16(a))
EACH(i8_i32, int8_t, int32_t, a)
EACH(i16_i32, int16_t, int32_t, a)
EACH(u16_i32, uint16_t, int32_t, a)
EACH(u32_i64, uint32_t, int64_t, a)
EACH(i32_i8, int32_t, int8_t, (int8_t)a)
EACH(i32_i16, int32_t, int16_t, (int16_t)a)
EACH(i64_u32, int64_t, uint32_t, (uint32_t)a)
EACH(round_i8, int32_t, int32_t, (int8_t)a)
EACH(round_i16, int32_t, int32_t, (int16_t)a)
EACH(round_u16, int32_t, int32_t, (uint16_t)a)
EACH(round_u32, int64_t, int64_t, (uint32_t)a)
EACH(round_f16, float, float, norma_from_f16(norma_to_f16(a)))
EACH(round_bf16, float, float, norma_from_bf16(norma_to_bf16(a)))

static const norma_loop LEVEL(conversions)[NORMA_STORED_TYPE_COUNT][NORMA_STORED_TYPE_COUNT] = {
    [NORMA_F32] = {[NORMA_F64] = LEVEL(f32_f64), [NORMA_I64] = LEVEL(f32_i64),
                   [NORMA_I32] = LEVEL(f32_i32), [NORMA_U8] = LEVEL(f32_u8),
                   [NORMA_U64] = LEVEL(f32_u64), [NORMA_BOOL] = LEVEL(f32_bool),
                   [NORMA_F16] = LEVEL(f32_f16), [NORMA_BF16] = LEVEL(f32_bf16)},
    [NORMA_F64] = {[NORMA_F32] = LEVEL(f64_f32), [NORMA_I64] = LEVEL(f64_i64),
                   [NORMA_I32] = LEVEL(f64_i32), [NORMA_U8] = LEVEL(f64_u8),
                   [NORMA_U64] = LEVEL(f64_u64), [NORMA_BOOL] = LEVEL(f64_bool)},
    [NORMA_I64] = {[NORMA_F32] = LEVEL(i64_f32), [NORMA_F64] = LEVEL(i64_f64),
                   [NORMA_I32] = LEVEL(i64_i32), [NORMA_U8] = LEVEL(i64_u8),
                   [NORMA_U64] = LEVEL(i64_u64), [NORMA_BOOL] = LEVEL(i64_bool),
                   [NORMA_U32] = LEVEL(i64_u32)},
    [NORMA_I32] = {[NORMA_F32] = LEVEL(i32_f32), [NORMA_F64] = LEVEL(i32_f64),
                   [NORMA_I64] = LEVEL(i32_i64), [NORMA_U8] = LEVEL(i32_u8),
                   [NORMA_U64] = LEVEL(i32_i64), [NORMA_BOOL] = LEVEL(i32_bool),
                   [NORMA_I8] = LEVEL(i32_i8), [NORMA_I16] = LEVEL(i32_i16),
                   [NORMA_U16] = LEVEL(i32_i16)},
    [NORMA_U8] = {[NORMA_F32] = LEVEL(u8_f32), [NORMA_F64] = LEVEL(u8_f64),
                  [NORMA_I64] = LEVEL(u8_i64), [NORMA_I32] = LEVEL(u8_i32),
                  [NORMA_U64] = LEVEL(u8_i64), [NORMA_BOOL] = LEVEL(u8_bool)},
    [NORMA_U64] = {[NORMA_F32] = LEVEL(u64_f32), [NORMA_F64] = LEVEL(u64_f64),
                   [NORMA_I64] = LEVEL(i64_u64), [NORMA_I32] = LEVEL(i64_i32),
                   [NORMA_U8] = LEVEL(i64_u8), [NORMA_BOOL] = LEVEL(i64_bool)},
    [NORMA_F16] = {[NORMA_F32] = LEVEL(f16_f32)},
    [NORMA_BF16] = {[NORMA_F32] = LEVEL(bf16_f32)},
    [NORMA_I8] = {[NORMA_I32] = LEVEL(i8_i32)},
    [NORMA_I16] = {[NORMA_I32] = LEVEL(i16_i32)},
    [NORMA_U16] = {[NORMA_I32] = LEVEL(u16_i32)},
    [NORMA_U32] = {[NORMA_I64] = LEVEL(u32_i64)},
};
// Indexed from NORMA_F16.
static const norma_loop LEVEL(roundings)[NORMA_STORED_TYPE_COUNT - NORMA_F16] = {
    LEVEL(round_f16), LEVEL(round_bf16), LEVEL(round_i8), LEVEL(round_i16), LEVEL(round_u16),
    LEVEL(round_u32)};
