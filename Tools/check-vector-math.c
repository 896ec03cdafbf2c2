// Runs the vector functions over all 2^32 floats and prints the worst error of each against its loop
// in double, which is libm's, the input it occurs at, and whether every instruction-set level gives
// the same bits. The slope of gelu is measured at the scale of its larger term. Functions of two
// operands take as many pairs: all floats, each with another one, whose exponent is close for half of
// them. An argument above 1 visits only every n-th bit pattern; names after it choose the functions.
//
//   clang -O2 -ISources/CNormaLoops/include -ISources/CNormaLoops/Elementwise
//     -ISources/CNormaLoops/Levels -ISources/CNormaLoops/Math Tools/check-vector-math.c
//     Sources/CNormaLoops/Math/vector_math.c Sources/CNormaLoops/Math/special_functions.c
//     Sources/CNormaLoops/Math/slope_functions.c Sources/CNormaLoops/Levels/levels.c -lm
//     -o /tmp/check-vector-math
//   /tmp/check-vector-math [stride [name ...]]

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vector_math.h"

#define BLOCK 4096

static uint32_t bits(float x) {
  uint32_t result;
  memcpy(&result, &x, sizeof result);
  return result;
}

// The size of the terms whose sum or difference a function is, where that may be larger than itself.
static double scale_of(const char *name, double x) {
  return strcmp(name, "gelu_slope") || fabs(x) > 50 ? 0 : fabs(x) * exp(-0.5 * x * x) / sqrt(8 * atan(1));
}

// The distance in units of the last place of the exact value or of a larger scale; infinity for a
// wrong special value.
static double ulps(float got, double exact, double scale) {
  if (isnan(exact)) return isnan(got) ? 0 : INFINITY;
  float rounded = (float)exact;
  if (isinf(rounded) || isinf(got)) return got == rounded ? 0 : INFINITY;
  if (rounded == 0 && got == 0) return signbit(got) == signbit(exact) ? 0 : INFINITY;
  const double size = fmax(fabs(exact), scale);
  int exponent = size == 0 ? -126 : ilogb(size);
  return fabs(got - exact) / ldexp(1, (exponent < -126 ? -126 : exponent) - 23);
}

// Which NaN comes of two is the compiler's choice.
static int differs(float a, float b) {
  return bits(a) != bits(b) && !(isnan(a) && isnan(b));
}

// Another float for a pair: any, or one within 16 powers of two.
static float companion(uint32_t pattern) {
  uint32_t h = pattern * 0x85ebca6b;
  h = (h ^ h >> 13) * 0xc2b2ae35;
  h ^= h >> 16;
  if (h & 1) h = (pattern & 0x7f800000) + (h & 0x87ffffff) - 0x04000000;
  float result;
  memcpy(&result, &h, sizeof result);
  return result;
}

static void check(const norma_math_entry *const *levels, int count, size_t index, uint64_t stride) {
  static float x[BLOCK], second[BLOCK], y[BLOCK], other[BLOCK];
  static double wide[BLOCK], wide_second[BLOCK], exact[BLOCK];
  double worst = -1;
  float at = 0, beside = 0;
  uint64_t different = 0;
  for (uint64_t pattern = 0; pattern < 1ull << 32;) {
    int n = 0;
    for (; n < BLOCK && pattern < 1ull << 32; pattern += stride) {
      uint32_t low = (uint32_t)pattern;
      memcpy(&x[n], &low, sizeof low);
      second[n] = companion(low);
      wide[n] = x[n], wide_second[n] = second[n];
      n++;
    }
    const void *operands[] = {x, second}, *in_double[] = {wide, wide_second};
    levels[0][index].f32(n, operands, y);
    levels[0][index].f64(n, in_double, exact);
    for (int level = 1; level < count; level++) {
      levels[level][index].f32(n, operands, other);
      for (int i = 0; i < n; i++) different += differs(y[i], other[i]);
    }
    for (int i = 0; i < n; i++) {
      double error = ulps(y[i], exact[i], scale_of(levels[0][index].name, x[i]));
      if (error > worst) worst = error, at = x[i], beside = second[i];
    }
  }
  printf("%-8s worst %.4f ulp at %a (%.9g)", levels[0][index].name, worst, at, at);
  if (levels[0][index].operand_count == 2) printf(", %a (%.9g)", beside, beside);
  printf("; levels differ at %llu inputs\n", (unsigned long long)different);
  fflush(stdout);
}

int main(int argc, char **argv) {
  uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  const norma_math_entry *levels[NORMA_MATH_LEVELS];
  int count = 0;
  for (int level = NORMA_MATH_LEVELS - 1; level >= 0; level--)
    if (norma_math_table(level)) levels[count++] = norma_math_table(level);
  printf("%d levels\n", count);
  for (size_t i = 0; levels[0][i].name; i++) {
    int wanted = argc <= 2;
    for (int k = 2; k < argc; k++) wanted |= !strcmp(argv[k], levels[0][i].name);
    if (wanted) check(levels, count, i, stride ? stride : 1);
  }
}
