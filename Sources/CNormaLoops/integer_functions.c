#include "integer_functions.h"

#include <stdint.h>

// Divisions and powers of integers, one by one: processors have no vectors for them. All wrap, and
// division by zero, which the processor would trap, gives 0.

#define EACH(name, s, T, expression)                                                     \
  static void name##_##s(size_t n, const void *const *operands, void *out) {             \
    const T *p = operands[0], *q = operands[1];                                          \
    T *r = out;                                                                          \
    for (size_t i = 0; i < n; i++) {                                                     \
      const T a = p[i], b = q[i];                                                        \
      r[i] = (T)(expression);                                                            \
    }                                                                                    \
  }

// The smallest integer divided by -1 would trap too.
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
  EACH(fmod, s, T, rest_##s(a, b))                                                       \
  EACH(remainder, s, T, rest_##s(a, b) + (crosses_##s(a, b) ? b : 0))                    \
  EACH(floor_divide, s, T, quotient_##s(a, b) - crosses_##s(a, b))                       \
  EACH(trunc_divide, s, T, quotient_##s(a, b))                                           \
  EACH(gcd, s, T, gcd_of_##s(a, b))

FUNCTIONS(i64, int64_t, uint64_t)
FUNCTIONS(i32, int32_t, uint32_t)
FUNCTIONS(u8, uint8_t, uint8_t)

norma_loop norma_find_integer_function(int operation, int type) {
#define ALL(OP, name) \
  case OP: return type == NORMA_I64 ? name##_i64 : type == NORMA_I32 ? name##_i32 : name##_u8;
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
