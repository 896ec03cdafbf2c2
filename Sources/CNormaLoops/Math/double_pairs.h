#pragma once

// Numbers of about 106 binary digits: the sum of a double and its rounding error. Sums and products
// are those of Dekker and Knuth, exact without fused multiply-adds as long as nothing overflows or
// underflows.

#pragma clang fp contract(off)

typedef struct {
  double high, low;
} norma_pair;

static inline norma_pair norma_pair_of(double high) { return (norma_pair){high, 0}; }

static inline norma_pair norma_pair_sum(double a, double b) {
  const double sum = a + b, part = sum - a;
  return (norma_pair){sum, (a - (sum - part)) + (b - part)};
}

static inline norma_pair norma_pair_product(double a, double b) {
  const double a_up = a * 0x1.0000002p27, b_up = b * 0x1.0000002p27;
  const double a_high = a_up - (a_up - a), b_high = b_up - (b_up - b);
  const double a_low = a - a_high, b_low = b - b_high, product = a * b;
  const double lost = ((product - a_high * b_high) - a_low * b_high) - a_high * b_low;
  return (norma_pair){product, a_low * b_low - lost};
}

// Normalized: the low part is at most half a unit in the last place of the high one.
static inline norma_pair norma_pair_settled(double high, double low) {
  const double sum = high + low;
  return (norma_pair){sum, low - (sum - high)};
}

static inline norma_pair norma_pair_add(norma_pair a, norma_pair b) {
  const norma_pair sum = norma_pair_sum(a.high, b.high);
  return norma_pair_settled(sum.high, sum.low + (a.low + b.low));
}

static inline norma_pair norma_pair_multiply(norma_pair a, norma_pair b) {
  const norma_pair product = norma_pair_product(a.high, b.high);
  return norma_pair_settled(
      product.high, product.low + (a.high * b.low + a.low * b.high));
}

static inline norma_pair norma_pair_divide(norma_pair a, norma_pair b) {
  const double quotient = a.high / b.high;
  const norma_pair back = norma_pair_product(quotient, b.high);
  const double rest = ((a.high - back.high) - back.low) + (a.low - quotient * b.low);
  return norma_pair_settled(quotient, rest / b.high);
}
