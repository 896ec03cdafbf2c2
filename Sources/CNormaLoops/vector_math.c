#include "vector_math.h"

#include <math.h>

#if defined(__x86_64__)
// Without no-prefer-256-bit clang tunes this level for processors that slow down on 512 bits and
// splits every vector; whole ones take a quarter to a third less time.
#define LEVEL(name) name##_v4
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#include "vector_math_body.h"
#include "vector_trigonometry_body.h"
#pragma clang attribute pop
#undef LEVEL

#define LEVEL(name) name##_v3
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "vector_math_body.h"
#include "vector_trigonometry_body.h"
#pragma clang attribute pop
#undef LEVEL
#endif

#define LEVEL(name) name##_base
#include "vector_math_body.h"
#include "vector_trigonometry_body.h"
#undef LEVEL

static double sigmoid(double x) {
  double e = exp(-fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

// In double every element goes to libm, the same on every level.
#define DOUBLE_LOOP(name)                                                                 \
  static void norma_##name##_f64(size_t n, const void *const *operands, void *out) {      \
    const double *x = operands[0];                                                        \
    double *y = out;                                                                      \
    for (size_t i = 0; i < n; i++) y[i] = name(x[i]);                                     \
  }

DOUBLE_LOOP(exp)
DOUBLE_LOOP(expm1)
DOUBLE_LOOP(sigmoid)
DOUBLE_LOOP(log)
DOUBLE_LOOP(log1p)
DOUBLE_LOOP(tanh)
DOUBLE_LOOP(erf)
DOUBLE_LOOP(sin)
DOUBLE_LOOP(cos)

#define ENTRY(name, level) {#name, norma_##name##_f32_##level, norma_##name##_f64}
#define TABLE(level)                                                                   \
  static const norma_math_entry table_##level[] = {                                    \
      ENTRY(exp, level),   ENTRY(expm1, level), ENTRY(sigmoid, level),                 \
      ENTRY(log, level),   ENTRY(log1p, level), ENTRY(tanh, level),                    \
      ENTRY(erf, level),   ENTRY(sin, level),   ENTRY(cos, level),                     \
      {NULL, NULL, NULL}}

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
