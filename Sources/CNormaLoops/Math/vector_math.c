#include "vector_math.h"

#include <math.h>

#include "error_tables.h"
#include "gelu_tables.h"
#include "logarithm_tables.h"
#include "slope_functions.h"
#include "special_functions.h"

// The number of elements at a time: several registers, whose latencies overlap. What does not fit
// into the registers of a level is kept on the stack, which costs less.
#if defined(__x86_64__)
// Without no-prefer-256-bit, clang tunes this level for processors that slow down with 512 bits and
// splits every vector; full ones take a quarter to a third less time.
#define LEVEL(name) name##_v4
#define MATH_LANES 64
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#include "vector_math_body.h"
#include "wide_math_body.h"
#include "wide_gamma_body.h"
#include "wide_bessel_body.h"
#include "wide_pairs_body.h"
#include "vector_tables_body.h"
#include "vector_exp_body.h"
#include "vector_trigonometry_body.h"
#include "vector_tanh_body.h"
#include "vector_inverses_body.h"
#include "vector_errors_body.h"
#include "vector_gelu_body.h"
#include "vector_logarithms_body.h"
#pragma clang attribute pop
#undef MATH_LANES
#undef LEVEL

#define LEVEL(name) name##_v3
#define MATH_LANES 32
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "vector_math_body.h"
#include "wide_math_body.h"
#include "wide_gamma_body.h"
#include "wide_bessel_body.h"
#include "wide_pairs_body.h"
#include "vector_tables_body.h"
#include "vector_exp_body.h"
#include "vector_trigonometry_body.h"
#include "vector_tanh_body.h"
#include "vector_inverses_body.h"
#include "vector_errors_body.h"
#include "vector_gelu_body.h"
#include "vector_logarithms_body.h"
#pragma clang attribute pop
#undef MATH_LANES
#undef LEVEL
#endif

#define LEVEL(name) name##_base
#define MATH_LANES 16
#include "vector_math_body.h"
#include "wide_math_body.h"
#include "wide_gamma_body.h"
#include "wide_bessel_body.h"
#include "wide_pairs_body.h"
#include "vector_tables_body.h"
#include "vector_exp_body.h"
#include "vector_trigonometry_body.h"
#include "vector_tanh_body.h"
#include "vector_inverses_body.h"
#include "vector_errors_body.h"
#include "vector_gelu_body.h"
#include "vector_logarithms_body.h"
#undef MATH_LANES
#undef LEVEL

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

// In double, every element is computed by libm, the same on every level.
#define DOUBLE_LOOP(name, expression)                                                     \
  static void norma_##name##_f64(size_t n, const void *const *operands, void *out) {      \
    const double *x = operands[0];                                                        \
    double *y = out;                                                                      \
    for (size_t i = 0; i < n; i++) y[i] = expression;                                     \
  }
#define PAIR_LOOP(name, expression)                                                       \
  static void norma_##name##_f64(size_t n, const void *const *operands, void *out) {      \
    const double *x = operands[0], *y = operands[1];                                      \
    double *z = out;                                                                      \
    for (size_t i = 0; i < n; i++) z[i] = expression;                                     \
  }
// Functions of floats without vector code use it too.
#define SPECIAL_LOOP(name, expression)                                                    \
  DOUBLE_LOOP(name, expression)                                                           \
  static void norma_##name##_f32(size_t n, const void *const *operands, void *out) {      \
    const float *x = operands[0];                                                         \
    float *y = out;                                                                       \
    for (size_t i = 0; i < n; i++) y[i] = (float)expression;                              \
  }
#define SPECIAL_PAIR_LOOP(name, expression)                                               \
  PAIR_LOOP(name, expression)                                                             \
  static void norma_##name##_f32(size_t n, const void *const *operands, void *out) {      \
    const float *x = operands[0], *y = operands[1];                                       \
    float *z = out;                                                                       \
    for (size_t i = 0; i < n; i++) z[i] = (float)expression;                              \
  }

DOUBLE_LOOP(exp, exp(x[i]))
DOUBLE_LOOP(log, log(x[i]))
DOUBLE_LOOP(tanh, tanh(x[i]))
DOUBLE_LOOP(erf, erf(x[i]))
DOUBLE_LOOP(expm1, expm1(x[i]))
DOUBLE_LOOP(log1p, log1p(x[i]))
DOUBLE_LOOP(sigmoid, sigmoid(x[i]))
DOUBLE_LOOP(sin, sin(x[i]))
DOUBLE_LOOP(cos, cos(x[i]))
DOUBLE_LOOP(tan, tan(x[i]))
DOUBLE_LOOP(asin, asin(x[i]))
DOUBLE_LOOP(acos, acos(x[i]))
DOUBLE_LOOP(atan, atan(x[i]))
DOUBLE_LOOP(sinh, sinh(x[i]))
DOUBLE_LOOP(cosh, cosh(x[i]))
DOUBLE_LOOP(asinh, asinh(x[i]))
DOUBLE_LOOP(acosh, acosh(x[i]))
DOUBLE_LOOP(atanh, atanh(x[i]))
DOUBLE_LOOP(exp2, exp2(x[i]))
DOUBLE_LOOP(log2, log2(x[i]))
DOUBLE_LOOP(log10, log10(x[i]))
DOUBLE_LOOP(erfc, erfc(x[i]))
DOUBLE_LOOP(gelu, norma_gelu(x[i]))
DOUBLE_LOOP(gelu_slope, norma_gelu_slope(x[i]))
SPECIAL_LOOP(sigmoid_slope, norma_sigmoid_slope(x[i]))
SPECIAL_LOOP(silu_slope, norma_silu_slope(x[i]))
SPECIAL_LOOP(mish_slope, norma_mish_slope(x[i]))
SPECIAL_LOOP(tanh_slope, norma_tanh_slope(x[i]))
SPECIAL_LOOP(tanh_squared, norma_tanh_squared(x[i]))
SPECIAL_LOOP(softsign_slope, norma_softsign_slope(x[i]))
SPECIAL_LOOP(erf_slope, norma_erf_slope(x[i]))
DOUBLE_LOOP(erfinv, norma_erfinv(x[i]))
DOUBLE_LOOP(lgamma, norma_lgamma(x[i]))
DOUBLE_LOOP(digamma, norma_digamma(x[i]))
DOUBLE_LOOP(sine_ratio, x[i] == 0 ? 1 : sin(x[i]) / x[i])
DOUBLE_LOOP(i0, norma_bessel(0, x[i], 0))
DOUBLE_LOOP(i0e, norma_bessel(0, x[i], 1))
DOUBLE_LOOP(i1, norma_bessel(1, x[i], 0))
DOUBLE_LOOP(i1e, norma_bessel(1, x[i], 1))
SPECIAL_LOOP(trigamma, norma_trigamma(x[i]))
PAIR_LOOP(pow, pow(x[i], y[i]))
PAIR_LOOP(fmod, fmod(x[i], y[i]))
PAIR_LOOP(remainder, remainder_of(x[i], y[i]))
PAIR_LOOP(floor_divide, floor_divide(x[i], y[i]))
PAIR_LOOP(atan2, atan2(x[i], y[i]))
PAIR_LOOP(hypot, hypot(x[i], y[i]))
PAIR_LOOP(log_add_exp, log_add_exp(x[i], y[i]))
PAIR_LOOP(log_add_exp2, log_add_exp2(x[i], y[i]))
PAIR_LOOP(xlogy, x[i] == 0 && y[i] == y[i] ? 0 : x[i] * log(y[i]))
SPECIAL_PAIR_LOOP(zeta, norma_zeta(x[i], y[i]))
SPECIAL_PAIR_LOOP(angle_slope, norma_angle_slope(x[i], y[i]))
SPECIAL_PAIR_LOOP(exp_share, norma_exp_share(x[i], y[i]))
SPECIAL_PAIR_LOOP(exp2_share, norma_exp2_share(x[i], y[i]))

#define ENTRY(name, level) {#name, norma_##name##_f32_##level, norma_##name##_f64, 1}
#define PAIR(name, level) {#name, norma_##name##_f32_##level, norma_##name##_f64, 2}
#define SPECIAL(name, count) {#name, norma_##name##_f32, norma_##name##_f64, count}
#define TABLE(level)                                                                   \
  static const norma_math_entry table_##level[] = {                                    \
      ENTRY(exp, level),       ENTRY(log, level),   ENTRY(tanh, level),                \
      ENTRY(erf, level),       ENTRY(expm1, level), ENTRY(log1p, level),               \
      ENTRY(sigmoid, level),   ENTRY(sin, level),   ENTRY(cos, level),                 \
      ENTRY(tan, level),       ENTRY(asin, level),  ENTRY(acos, level),                \
      ENTRY(atan, level),      ENTRY(sinh, level),  ENTRY(cosh, level),                \
      ENTRY(asinh, level),     ENTRY(acosh, level), ENTRY(atanh, level),               \
      ENTRY(exp2, level),      ENTRY(log2, level),  ENTRY(log10, level),               \
      ENTRY(erfc, level),      ENTRY(gelu, level),  ENTRY(gelu_slope, level),          \
      ENTRY(erfinv, level),    ENTRY(lgamma, level),                                   \
      ENTRY(digamma, level),   SPECIAL(trigamma, 1), ENTRY(sine_ratio, level),         \
      ENTRY(i0, level),        ENTRY(i0e, level),   ENTRY(i1, level),                  \
      ENTRY(i1e, level),       SPECIAL(sigmoid_slope, 1), SPECIAL(silu_slope, 1),      \
      SPECIAL(mish_slope, 1),  SPECIAL(tanh_slope, 1), SPECIAL(tanh_squared, 1),       \
      SPECIAL(softsign_slope, 1), SPECIAL(erf_slope, 1),                               \
      PAIR(pow, level),        PAIR(fmod, level),   PAIR(remainder, level),            \
      PAIR(floor_divide, level), PAIR(atan2, level), PAIR(hypot, level),               \
      PAIR(log_add_exp, level), PAIR(log_add_exp2, level), PAIR(xlogy, level),         \
      SPECIAL(zeta, 2),        SPECIAL(angle_slope, 2), SPECIAL(exp_share, 2),         \
      SPECIAL(exp2_share, 2),                                                          \
      {NULL, NULL, NULL, 0}}

TABLE(base);
#if defined(__x86_64__)
TABLE(v3);
TABLE(v4);
#endif

const norma_math_entry *norma_math_table(int level) {
#if defined(__x86_64__)
  if (level == 1 && __builtin_cpu_supports("x86-64-v3")) return table_v3;
  if (level == 2 && __builtin_cpu_supports("x86-64-v4")) return table_v4;
#endif
  return level == 0 ? table_base : NULL;
}
