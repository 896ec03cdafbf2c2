#include "special_functions.h"

#include <math.h>

#pragma clang fp contract(off)

static const double pi = 0x1.921fb54442d18p1;

static double polynomial(double x, const double *coefficients, int count) {
  double sum = 0;
  for (int k = 0; k < count; k++) sum = sum * x + coefficients[k];
  return sum;
}

// Giles, "Approximating the erfinv function" (2010), to about 22 bits, refined by Halley's method,
// each step of which triples them. For arguments that occur only in double, the first approximation
// is erfc x = e^(-x^2) / (x root(pi)). Close to 1 the error is measured by erfc, for which y need
// not be rounded.
double norma_erfinv(double y) {
  const double size = fabs(y);
  if (!(size < 1)) return size == 1 ? copysign(INFINITY, y) : NAN;
  if (size < 1e-8) return y * (0.5 * sqrt(pi));
  static const double central[] = {
      2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
      -0.00125372503, -0.00417768164, 0.246640727, 1.50140941};
  static const double tail[] = {
      -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
      -0.0076224613, 0.00943887047, 1.00167406, 2.83297682};
  const double w = -log((1 - size) * (1 + size));
  double x = size * (w < 5 ? polynomial(w - 2.5, central, 9) : polynomial(sqrt(w) - 3, tail, 9));
  if (w > 16) {
    const double power = -log(1 - size);
    x = sqrt(power - 0.5 * log(pi * power));
  }
  for (int step = 0; step < 5; step++) {
    const double error = size < 0.5 ? erf(x) - size : (1 - size) - erfc(x);
    const double newton = error * (0.5 * sqrt(pi)) * exp(x * x);
    x -= newton / (1 + x * newton);
    if (fabs(newton) < 1e-6 * x) break;
  }
  return copysign(x, y);
}

double norma_lgamma(double x) {
  // The library's lgamma writes a global sign, which threads would share.
  int sign;
  return lgamma_r(x, &sign);
}

// Abramowitz and Stegun 6.3: reflected below 0, shifted up to 10 by psi(x + 1) = psi(x) + 1 / x,
// then log x - 1 / 2x - sum of B(2k) / 2k x^-2k.
double norma_digamma(double x) {
  static const double series[] = {
      1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12};
  if (x == 0) return copysign(INFINITY, -x);
  double sum = 0;
  if (x < 0) {
    if (floor(x) == x) return NAN;
    // pi cot(pi x), for the remainder of x modulo 1, exact and at most a half.
    const double part = x - rint(x);
    sum = fabs(part) == 0.5 ? 0 : -pi / tan(pi * part);
    x = 1 - x;
  }
  for (; x < 10; x += 1) sum -= 1 / x;
  const double z = 1 / (x * x);
  return x == INFINITY ? x : sum + (log(x) - 0.5 / x - z * polynomial(z, series, 7));
}

// Abramowitz and Stegun 6.4: reflected below 1/2, shifted up to 10 by the sum of 1 / x^2, then 1 /
// x + 1 / 2x^2 + sum of B(2k) x^-(2k + 1).
double norma_trigamma(double x) {
  static const double series[] = {
      7.0 / 6, -691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6};
  if (x == -INFINITY) return NAN;
  double sum = 0, sign = 1;
  if (x < 0.5) {
    // Zero at poles, except for the rounding of pi x: the result there is about 10^31, like
    // PyTorch's.
    const double sine = sin(pi * (floor(x) == x ? x : x - floor(x)));
    sum = pi * pi / (sine * sine);
    sign = -1;
    x = 1 - x;
  }
  double above = 0;
  for (; x < 10; x += 1) above += 1 / (x * x);
  if (x < INFINITY) {
    const double z = 1 / (x * x);
    above += 1 / x + 0.5 * z + z / x * polynomial(z, series, 7);
  }
  return sum + sign * above;
}

// The Euler-Maclaurin formula from q + 9 or above: the terms before are summed, the remainder is
// a^(1 - s) / (s - 1) + a^-s / 2 + sum of B(2k) / (2k)! s (s + 1) ... (s + 2k - 2) a^(1 - s - 2k).
double norma_zeta(double s, double q) {
  // B(2k) / (2k)!
  static const double factors[] = {
      1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160,
      -691.0 / 1307674368000, 1.0 / 74724249600, -3617.0 / 10670622842880000};
  if (s == 1) return INFINITY;
  if (!(s > 1) || q != q) return NAN;
  if (q <= 0) {
    if (floor(q) == q) return INFINITY;
    // A negative number can only be raised to an integral power. The terms below and above zero are
    // summed from the fractional part: r up to -q, and from 1 - r on.
    if (floor(s) != s) return NAN;
    const double r = -q - floor(-q), below = norma_zeta(s, r) - norma_zeta(s, 1 - q);
    return (fmod(s, 2) == 0 ? below : -below) + norma_zeta(s, 1 - r);
  }
  double sum = 0, a = q;
  for (int k = 0; k < 9 || a <= 9; k++, a += 1) {
    const double term = pow(a, -s);
    sum += term;
    if (term < sum * 0x1p-60) return sum;
  }
  const double power = pow(a, -s);
  sum += power * a / (s - 1) + 0.5 * power;
  double factor = s, scale = power / a;
  for (int k = 0; k < 8; k++) {
    const double term = factors[k] * factor * scale;
    sum += term;
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2);
    scale /= a * a;
    if (fabs(term) < fabs(sum) * 0x1p-60) break;
  }
  return sum;
}

// Abramowitz and Stegun 9.6.10, whose terms are all positive, below 20; from there 9.7.1, whose
// terms fall below 2^-60 before they grow.
double norma_bessel(int order, double x, int scaled) {
  const double size = fabs(x);
  double sum, term = 1;
  if (size == INFINITY) {
    sum = scaled ? 0 : INFINITY;
  } else if (size < 20) {
    const double z = 0.25 * size * size;
    sum = 1;
    for (int k = 1; term > sum * 0x1p-60; k++) {
      term *= z / (k * (double)(k + order));
      sum += term;
    }
    if (order == 1) sum *= 0.5 * size;
    if (scaled) sum *= exp(-size);
  } else {
    sum = 1;
    for (int k = 1; fabs(term) > 0x1p-60; k++) {
      const double odd = 2 * k - 1;
      term *= (odd * odd - 4 * order) / (8 * k * size);
      sum += term;
    }
    sum /= sqrt(2 * pi * size);
    // In two steps, because e^x may overflow although the result does not.
    if (!scaled) sum = sum * exp(0.5 * size) * exp(0.5 * size);
  }
  return order == 1 ? copysign(sum, x) : sum;
}
