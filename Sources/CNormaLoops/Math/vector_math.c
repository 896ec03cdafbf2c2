#include "vector_math.h"

#include <math.h>

#include "error_tables.h"
#include "gelu_tables.h"
#include "logarithm_tables.h"
#include "run_level.h"
#include "slope_functions.h"
#include "special_functions.h"

#pragma clang fp contract(off)

#define BODY "vector_level_body.h"
#include "each_level.h"

static double sigmoid(double x) {
  double e = exp(-fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

static double remainder_of(double x, double y) {
  double rest = fmod(x, y);
  return rest != 0 && (y < 0) != (rest < 0) ? rest + y : rest;
}

// The remainder of fmod is subtracted first, so that the quotient is an integer except for
// rounding.
static double floor_divide(double x, double y) {
  if (y == 0) return x / y;
  double rest = fmod(x, y), quotient = (x - rest) / y;
  if (rest != 0 && (y < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return copysign(0, x / y);
  double whole = floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

// log(e^x + e^y) and log2(2^x + 2^y): the larger operand and the contribution of the other. NaN
// propagates through the difference, which is 0 for equal infinities.
static double log_add_exp(double x, double y) {
  return (x > y ? x : y) + log1p(exp(x == y ? 0 : -fabs(x - y)));
}
static double log_add_exp2(double x, double y) {
  return (x > y ? x : y) + log1p(exp2(x == y ? 0 : -fabs(x - y))) * 0x1.71547652b82fep0;
}

// Names, operand counts and definitions in double, in the order of norma_operation from NORMA_EXP
// on. VECTORS is for functions with vector code for floats; LIBRARY for those that are computed in
// double for floats, too.
#define FUNCTIONS(VECTORS, LIBRARY, level)                             \
  VECTORS(level, exp, 1, exp(x))                                       \
  VECTORS(level, log, 1, log(x))                                       \
  VECTORS(level, tanh, 1, tanh(x))                                     \
  VECTORS(level, erf, 1, erf(x))                                       \
  VECTORS(level, expm1, 1, expm1(x))                                   \
  VECTORS(level, log1p, 1, log1p(x))                                   \
  VECTORS(level, sigmoid, 1, sigmoid(x))                               \
  VECTORS(level, sin, 1, sin(x))                                       \
  VECTORS(level, cos, 1, cos(x))                                       \
  VECTORS(level, tan, 1, tan(x))                                       \
  VECTORS(level, asin, 1, asin(x))                                     \
  VECTORS(level, acos, 1, acos(x))                                     \
  VECTORS(level, atan, 1, atan(x))                                     \
  VECTORS(level, sinh, 1, sinh(x))                                     \
  VECTORS(level, cosh, 1, cosh(x))                                     \
  VECTORS(level, asinh, 1, asinh(x))                                   \
  VECTORS(level, acosh, 1, acosh(x))                                   \
  VECTORS(level, atanh, 1, atanh(x))                                   \
  VECTORS(level, exp2, 1, exp2(x))                                     \
  VECTORS(level, log2, 1, log2(x))                                     \
  VECTORS(level, log10, 1, log10(x))                                   \
  VECTORS(level, erfc, 1, erfc(x))                                     \
  VECTORS(level, gelu, 1, norma_gelu(x))                               \
  VECTORS(level, gelu_slope, 1, norma_gelu_slope(x))                   \
  VECTORS(level, erfinv, 1, norma_erfinv(x))                           \
  VECTORS(level, lgamma, 1, norma_lgamma(x))                           \
  VECTORS(level, digamma, 1, norma_digamma(x))                         \
  LIBRARY(level, trigamma, 1, norma_trigamma(x))                       \
  VECTORS(level, sine_ratio, 1, x == 0 ? 1 : sin(x) / x)               \
  VECTORS(level, i0, 1, norma_bessel(0, x, 0))                         \
  VECTORS(level, i0e, 1, norma_bessel(0, x, 1))                        \
  VECTORS(level, i1, 1, norma_bessel(1, x, 0))                         \
  VECTORS(level, i1e, 1, norma_bessel(1, x, 1))                        \
  LIBRARY(level, sigmoid_slope, 1, norma_sigmoid_slope(x))             \
  LIBRARY(level, silu_slope, 1, norma_silu_slope(x))                   \
  LIBRARY(level, mish_slope, 1, norma_mish_slope(x))                   \
  LIBRARY(level, tanh_slope, 1, norma_tanh_slope(x))                   \
  LIBRARY(level, tanh_squared, 1, norma_tanh_squared(x))               \
  LIBRARY(level, softsign_slope, 1, norma_softsign_slope(x))           \
  LIBRARY(level, erf_slope, 1, norma_erf_slope(x))                     \
  VECTORS(level, pow, 2, pow(x, y))                                    \
  VECTORS(level, fmod, 2, fmod(x, y))                                  \
  VECTORS(level, remainder, 2, remainder_of(x, y))                     \
  VECTORS(level, floor_divide, 2, floor_divide(x, y))                  \
  VECTORS(level, atan2, 2, atan2(x, y))                                \
  VECTORS(level, hypot, 2, hypot(x, y))                                \
  VECTORS(level, log_add_exp, 2, log_add_exp(x, y))                    \
  VECTORS(level, log_add_exp2, 2, log_add_exp2(x, y))                  \
  VECTORS(level, xlogy, 2, x == 0 && y == y ? 0 : x * log(y))          \
  LIBRARY(level, zeta, 2, norma_zeta(x, y))                            \
  LIBRARY(level, angle_slope, 2, norma_angle_slope(x, y))              \
  LIBRARY(level, exp_share, 2, norma_exp_share(x, y))                  \
  LIBRARY(level, exp2_share, 2, norma_exp2_share(x, y))

// In double, every element is computed by libm, the same on every level.
#define LOOP(name, count, T, s, expression)                                               \
  static void norma_##name##_##s(size_t n, const void *const *operands, void *out) {      \
    const T *p = operands[0], *q = operands[count - 1];                                   \
    T *r = out;                                                                           \
    for (size_t i = 0; i < n; i++) {                                                      \
      const double x = (double)p[i], y = (double)q[i];                                    \
      (void)y;                                                                            \
      r[i] = (T)(expression);                                                             \
    }                                                                                     \
  }
#define DOUBLE_LOOP(level, name, count, expression) LOOP(name, count, double, f64, expression)
#define BOTH_LOOPS(level, name, count, expression) \
  DOUBLE_LOOP(level, name, count, expression)      \
  LOOP(name, count, float, f32, expression)
FUNCTIONS(DOUBLE_LOOP, BOTH_LOOPS, )

#define VECTORS(level, name, count, expression) \
  {#name, norma_##name##_f32_##level, norma_##name##_f64, count},
#define LIBRARY(level, name, count, expression) \
  {#name, norma_##name##_f32, norma_##name##_f64, count},
#define TABLE(level)                                \
  static const norma_math_entry table_##level[] = { \
      FUNCTIONS(VECTORS, LIBRARY, level){NULL, NULL, NULL, 0}};
TABLE(base)
#if defined(__x86_64__)
TABLE(v3)
TABLE(v4)
#endif

const norma_math_entry *norma_math_table(int level) {
  return level < 0 || level > norma_loops_best_level() ? NULL : AT_LEVEL(level, table);
}
