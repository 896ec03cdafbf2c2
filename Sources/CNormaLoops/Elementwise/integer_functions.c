#include "integer_functions.h"

#include <stdint.h>

#include "vectors.h"

// Divisions and powers of integers, for which processors have no vector instructions. All wrap, and
// division by zero, which would trap, gives 0.

#define EACH(name, s, T, expression)                                                     \
  static void name##_##s(size_t n, const void *const *operands, void *out) {             \
    const T *p = operands[0], *q = operands[1];                                          \
    T *r = out;                                                                          \
    for (size_t i = 0; i < n; i++) {                                                     \
      const T a = p[i], b = q[i];                                                        \
      r[i] = (T)(expression);                                                            \
    }                                                                                    \
  }

// The smallest integer divided by -1 would trap as well.
#define IS_MINUS_ONE(T, b) ((T)-1 < 1 && (b) == (T)-1)

#define FUNCTIONS(s, T, U)                                                               \
  static inline T quotient_##s(T a, T b) {                                               \
    return b == 0 ? 0 : IS_MINUS_ONE(T, b) ? (T)(0 - (U)a) : (T)(a / b);                 \
  }                                                                                      \
  static inline T rest_##s(T a, T b) {                                                   \
    return b == 0 || IS_MINUS_ONE(T, b) ? 0 : (T)(a % b);                                \
  }                                                                                      \
  static inline int crosses_##s(T a, T b) {                                              \
    return rest_##s(a, b) != 0 && (a < 1) != (b < 1);                                    \
  }                                                                                      \
  static inline T power_of_##s(T a, T b) {                                               \
    if (b < 1 && b != 0) return a == 1 ? 1 : IS_MINUS_ONE(T, a) ? (b & 1 ? a : 1) : 0;   \
    U result = 1, factor = (U)a;                                                         \
    for (U k = (U)b; k; k >>= 1, factor *= factor) {                                     \
      if (k & 1) result *= factor;                                                       \
    }                                                                                    \
    return (T)result;                                                                    \
  }                                                                                      \
  static inline T gcd_of_##s(T a, T b) {                                                 \
    U x = a < 1 ? 0 - (U)a : (U)a, y = b < 1 ? 0 - (U)b : (U)b;                          \
    while (y) {                                                                          \
      const U rest = x % y;                                                              \
      x = y, y = rest;                                                                   \
    }                                                                                    \
    return (T)x;                                                                         \
  }                                                                                      \
  EACH(power, s, T, power_of_##s(a, b))                                                  \
  EACH(gcd, s, T, gcd_of_##s(a, b))

FUNCTIONS(i64, int64_t, uint64_t)
FUNCTIONS(i32, int32_t, uint32_t)
FUNCTIONS(u8, uint8_t, uint8_t)
FUNCTIONS(u64, uint64_t, uint64_t)

#define DIVISIONS(EACH, s, T)                                                            \
  EACH(fmod, s, T, rest_##s(a, b))                                                       \
  EACH(remainder, s, T, rest_##s(a, b) + (crosses_##s(a, b) ? b : 0))                    \
  EACH(floor_divide, s, T, quotient_##s(a, b) - crosses_##s(a, b))                       \
  EACH(trunc_divide, s, T, quotient_##s(a, b))

DIVISIONS(EACH, i32, int32_t)
DIVISIONS(EACH, u8, uint8_t)
DIVISIONS(EACH, u64, uint64_t)

// 64-bit integers are divided in vectors of double as long as they are below 2^50: a quotient that
// is not an integer then does not round to one, and products with it are exact.
enum { SMALL_BITS = 50 };
#define TO_INTEGER 0x1.8p52
#define TO_INTEGER_BITS 0x4338000000000000
#define IS_LARGE(v) (((u64v)(v) + (1ull << SMALL_BITS)) >> (SMALL_BITS + 1))
#define TO_DOUBLES(v) ((f64v)((v) + TO_INTEGER_BITS) - TO_INTEGER)

#define IN_DOUBLES(name, s, T, expression)                                               \
  static void name##_##s(size_t n, const void *const *operands, void *out) {             \
    const T *p = operands[0], *q = operands[1];                                          \
    T *r = out;                                                                          \
    for (size_t i = 0; i < n;) {                                                         \
      for (; i + LANES(T) <= n; i += LANES(T)) {                                         \
        const i64v a = LOAD(i64v, p + i), b = LOAD(i64v, q + i);                         \
        if (__builtin_reduce_or(IS_LARGE(a) | IS_LARGE(b))) break;                       \
        const f64v x = TO_DOUBLES(a), y = TO_DOUBLES(b), exact = x / y;                  \
        const f64v near = (exact + TO_INTEGER) - TO_INTEGER;                             \
        const f64v floors = near + __builtin_convertvector(near > exact, f64v);          \
        const f64v result = DOUBLES_##name;                                              \
        STORE(i64v, r + i, ((i64v)(result + TO_INTEGER) - TO_INTEGER_BITS) & (b != 0));  \
      }                                                                                  \
      for (const size_t end = n - i < LANES(T) ? n : i + LANES(T); i < end; i++) {       \
        const T a = p[i], b = q[i];                                                      \
        r[i] = (T)(expression);                                                          \
      }                                                                                  \
    }                                                                                    \
  }

// Towards zero: negative quotients are rounded up if the floor is not exact.
#define TRUNCATED \
  (floors - __builtin_convertvector((exact < 0) & (floors < exact), f64v))
#define DOUBLES_fmod (x - TRUNCATED * y)
#define DOUBLES_remainder (x - floors * y)
#define DOUBLES_floor_divide floors
#define DOUBLES_trunc_divide TRUNCATED

DIVISIONS(IN_DOUBLES, i64, int64_t)

int norma_holds_zero(size_t n, const void *values, int width) {
#define LOOK(V, T)                                                                       \
  {                                                                                      \
    const T *p = values;                                                                 \
    size_t i = 0;                                                                        \
    for (; i + 8 * LANES(T) <= n; i += 8 * LANES(T)) {                                   \
      V zeros = {0};                                                                     \
      for (size_t k = 0; k < 8; k++) zeros |= (V)(LOAD(V, p + i + k * LANES(T)) == 0);   \
      if (__builtin_reduce_or(zeros)) return 1;                                          \
    }                                                                                    \
    for (; i < n; i++) {                                                                 \
      if (p[i] == 0) return 1;                                                           \
    }                                                                                    \
    return 0;                                                                            \
  }
  switch (width) {
    case 8: LOOK(i64v, int64_t)
    case 4: LOOK(i32v, int32_t)
    case 2: LOOK(u16v, uint16_t)
    default: LOOK(u8v, uint8_t)
  }
}

norma_loop norma_find_integer_function(int operation, int type) {
#define ALL(OP, name)                        \
  case OP:                                   \
    return type == NORMA_I64   ? name##_i64  \
           : type == NORMA_I32 ? name##_i32  \
           : type == NORMA_U8  ? name##_u8   \
                               : name##_u64;
  if (type < NORMA_I64) return NULL;
  switch (operation) {
    ALL(NORMA_POWER, power)
    ALL(NORMA_FMOD, fmod)
    ALL(NORMA_REMAINDER, remainder)
    ALL(NORMA_FLOOR_DIVIDE, floor_divide)
    ALL(NORMA_TRUNC_DIVIDE, trunc_divide)
    ALL(NORMA_GCD, gcd)
  }
  return NULL;
}
