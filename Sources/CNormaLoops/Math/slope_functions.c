#include "slope_functions.h"

#include <math.h>

#include "double_pairs.h"

#pragma clang fp contract(off)

static double polynomial(double x, const double *coefficients, int count) {
  double sum = 0;
  for (int k = 0; k < count; k++) sum = sum * x + coefficients[k];
  return sum;
}

// e^(-factor x^2) is the result plus the result times *more: the leading digits have an exact
// square, and a series accounts for the rest. |x| is below 39 and the factor a power of 2.
static double bell_power(double x, double factor, double *more) {
  const double lead = (float)x, rest = -factor * (x - lead) * (x + lead);
  *more = rest * (1 + rest * (0.5 + rest * (1.0 / 6)));
  return exp(-factor * lead * lead);
}

// The normal distribution function at x as the sum of a number and a small one, erfc(z) / 2 for z =
// -x root(1/2). For large |z| its rounding error contributes a factor e^(-2 z rest); the root is
// the sum of three numbers, and products of leading digits are exact.
static double normal_share(double x, double *small) {
  const double root = 0x1.6a09e667f3bcdp-1, first = 0x1.6a09e6p-1;
  const double second = root - first, third = -4.833646656726457e-17;
  const double z = -x * root, share = 0.5 * erfc(z);
  *small = 0;
  // The result is 0, 1 or NaN in any case.
  if (!(fabs(x) < 100)) return share;
  const double lead = (float)x, end = x - lead;
  const double rest =
      (-lead * first - z) - lead * second - (end * first + (end * second + x * third));
  *small = share * (-2 * (z > 0 ? z : 0) * rest);
  return share;
}

double norma_gelu(double x) {
  // 0 even if x is infinite.
  if (x < -40) return -0.0;
  double small, share = normal_share(x, &small);
  return x * (share + small);
}

// 1/2 + x (2 / root(2 pi) + z p(z)), z = x^2, close to 0; constant + t p(t), t = |x| - 0.9375,
// around the zero of the function. Beyond that, the sum of the distribution function and x
// e^(-x^2 / 2) / root(2 pi), where the leading digits have an exact square and a series accounts
// for the rest. Large terms are added together with their rounding errors.
double norma_gelu_slope(double x) {
  const double factor = 0x1.9884533d43651p-2, factor_low = -0x1.cbc0d30ebfd15p-56;
  if (fabs(x) < 0.6) {
    static const double series[] = {
        0x1.9b3f57f668103p-34, -0x1.323f7ac529378p-29, 0x1.5f45092951a99p-25,
        -0x1.622001461f487p-21, 0x1.38d8cf73f1db0p-17, -0x1.db5d77c13855ap-14,
        0x1.2e9ae8528b6cep-10, -0x1.37403f6b9f811p-7, 0x1.ea3863e31da9fp-5,
        -0x1.1058377e2cee0p-2};
    const double z = x * x;
    const norma_pair near = norma_pair_product(x, 2 * factor);
    const norma_pair large = norma_pair_sum(0.5, near.high);
    return large.high +
           (large.low + (near.low + x * (2 * factor_low + z * polynomial(z, series, 10))));
  }
  if (fabs(x) < 1.3) {
    static const double series[] = {
        0x1.935cf04ae9e70p-24, -0x1.bcbbfddafd613p-22, -0x1.1189e4b9486b5p-20,
        0x1.ced60c96a4320p-18, 0x1.e5570bbde4541p-18, -0x1.7a5bd99683e8cp-14,
        -0x1.cc6181017e321p-21, 0x1.e1757b9a54560p-11, -0x1.a3e5609308ba9p-11,
        -0x1.bfda9f686820bp-8, 0x1.828b42c5819b2p-7, 0x1.09c33c42c1339p-5,
        -0x1.767c2985de95cp-4, -0x1.e452671a80353p-5, 0x1.8120fc256568fp-2,
        -0x1.271eefbd4e1d8p-2};
    const double constant = -0x1.116ed1c554be1p-4, t = fabs(x) - 0.9375;
    const double slope = -0x1.9870173ce3e41p-58 + t * polynomial(t, series, 16);
    return x < 0 ? constant + slope : (1 - constant) - slope;
  }
  double small;
  const double share = normal_share(x, &small);
  if (!(fabs(x) < 38.6)) return x < 0 ? -0.0 : share;
  const norma_pair bell = norma_pair_product(x, factor);
  double series;
  const double power = bell_power(x, 0.5, &series);
  const norma_pair tail = norma_pair_product(bell.high, power);
  const norma_pair large = norma_pair_sum(share, tail.high);
  const double beside = (bell.low + x * factor_low) * power + tail.low + tail.high * series;
  return large.high + (large.low + (small + beside));
}

// e / (1 + e)^2.
static norma_pair bell_of(double e) {
  const norma_pair one = norma_pair_sum(1, e);
  return norma_pair_divide(norma_pair_of(e), norma_pair_multiply(one, one));
}

double norma_sigmoid_slope(double x) { return bell_of(exp(-fabs(x))).high; }

double norma_tanh_slope(double x) { return 4 * bell_of(exp(-2 * fabs(x))).high; }

// z - z^2 p(z), z = x^2, close to 0, and 1 - 1 / cosh^2 x.
double norma_tanh_squared(double x) {
  if (fabs(x) < 0.6) {
    static const double series[] = {
        -0x1.2aed039757f70p-14, 0x1.4bc03deed5e45p-12, -0x1.c45c8ca0134e9p-11,
        0x1.0904c58cf0adfp-9, -0x1.2991595bd6badp-8, 0x1.48a9ffd12e8dcp-7,
        -0x1.65c9000074bdfp-6, 0x1.7e8c184545ae2p-5, -0x1.8f57895af673cp-4,
        0x1.9319319308476p-3, -0x1.82d82d82d81d3p-2, 0x1.5555555555555p-1};
    const norma_pair z = norma_pair_product(x, x);
    return z.high + (z.low - z.high * z.high * polynomial(z.high, series, 12));
  }
  const norma_pair slope = bell_of(exp(-2 * fabs(x)));
  const norma_pair rest = norma_pair_sum(1, -4 * slope.high);
  return rest.high + (rest.low - 4 * slope.low);
}

// With e = e^-|x|: (1 + e + x e) / (1 + e)^2, and e (1 + e + x) / (1 + e)^2 below 0.
double norma_silu_slope(double x) {
  if (!(fabs(x) < 1000)) return x < 0 ? -0.0 : x > 0 ? 1 : x;
  const double e = exp(-fabs(x));
  const norma_pair one = norma_pair_sum(1, e), square = norma_pair_multiply(one, one);
  const norma_pair part = x < 0 ? norma_pair_of(x) : norma_pair_product(x, e);
  const norma_pair slope = norma_pair_divide(norma_pair_add(one, part), square);
  return x < 0 ? e * slope.high + e * slope.low : slope.high;
}

// tanh(log(1 + e^x)) is a / b with e = e^-|x|, a = 1 + 2 e and b = a + 2 e^2, or a = e (e + 2) and
// b = a + 2 below 0; the derivative is (a b + x c) / b^2, c = 4 e^2 (1 + e), or 4 e (1 + e)
// below 0.
double norma_mish_slope(double x) {
  if (!(fabs(x) < 1000)) return x < 0 ? -0.0 : x > 0 ? 1 : x;
  const double e = exp(-fabs(x));
  const norma_pair square = norma_pair_product(e, e), one = norma_pair_sum(1, e);
  const norma_pair share = norma_pair_multiply(one, norma_pair_of(4 * x));
  if (x < 0) {
    const norma_pair two = norma_pair_sum(2, e);
    const norma_pair b = norma_pair_add(norma_pair_sum(2, 2 * e), square);
    const norma_pair sum = norma_pair_add(norma_pair_multiply(two, b), share);
    const norma_pair slope = norma_pair_divide(sum, norma_pair_multiply(b, b));
    return e * slope.high + e * slope.low;
  }
  const norma_pair a = norma_pair_sum(1, 2 * e);
  const norma_pair b = norma_pair_add(a, (norma_pair){2 * square.high, 2 * square.low});
  const norma_pair part = norma_pair_multiply(square, share);
  const norma_pair sum = norma_pair_add(norma_pair_multiply(a, b), part);
  return norma_pair_divide(sum, norma_pair_multiply(b, b)).high;
}

// 1 / (1 + |x|)^2, whose square may overflow.
double norma_softsign_slope(double x) {
  if (!(fabs(x) < 0x1p60)) {
    if (!isfinite(x)) return x == x ? 0 : x;
    int power;
    const double part = frexp(x, &power);
    const norma_pair square = norma_pair_product(part, part);
    return ldexp(norma_pair_divide(norma_pair_of(1), square).high, -2 * power);
  }
  const norma_pair one = norma_pair_sum(1, fabs(x));
  return norma_pair_divide(norma_pair_of(1), norma_pair_multiply(one, one)).high;
}

double norma_erf_slope(double x) {
  if (!(fabs(x) < 28)) return x == x ? 0 : x;
  double more;
  const double power = bell_power(x, 1, &more);
  const norma_pair bell = norma_pair_product(0x1.20dd750429b6dp+0, power);
  return bell.high + (bell.low + 0x1.1ae3a914fed80p-56 * power + bell.high * more);
}

// Computed for numbers between 1/2 and 1, then scaled back by powers of 2.
double norma_angle_slope(double a, double b) {
  if (!(isfinite(a) && isfinite(b))) return a != a || b != b ? NAN : copysign(0, a);
  if (a == 0) return a;
  int of_a, of_b;
  const double x = frexp(a, &of_a), y = frexp(b, &of_b);
  norma_pair square = norma_pair_product(x, x);
  int power = of_a;
  if (b != 0 && of_b > of_a - 60) {
    const norma_pair other = norma_pair_product(y, y);
    const double above = of_b - of_a > 60 ? 0 : ldexp(1, 2 * (of_a - of_b));
    square = norma_pair_add(
        other, (norma_pair){above * square.high, above * square.low});
    power = of_b;
  }
  return ldexp(norma_pair_divide(norma_pair_of(x), square).high, of_a - 2 * power);
}

// 1 / (1 + e), or e / (1 + e) if b is larger, for e = base^-|b - a|, which is corrected for the
// rounding error of the difference.
static double share_of(double a, double b, double power(double), double logarithm) {
  const norma_pair distance = a == b ? norma_pair_of(0) : norma_pair_sum(b, -a);
  if (!isfinite(distance.high)) return distance.high > 0 ? 0 : distance.high < 0 ? 1 : NAN;
  const double e = power(-fabs(distance.high));
  const double lost = e * logarithm * (distance.high > 0 ? -distance.low : distance.low);
  const norma_pair small = norma_pair_settled(e, lost), one = norma_pair_of(1);
  return norma_pair_divide(distance.high > 0 ? small : one, norma_pair_add(one, small)).high;
}

double norma_exp_share(double a, double b) { return share_of(a, b, exp, 1); }

double norma_exp2_share(double a, double b) {
  return share_of(a, b, exp2, 0x1.62e42fefa39efp-1);
}
