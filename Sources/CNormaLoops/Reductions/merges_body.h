// Merging the moments of two parts; included once per instruction set with LEVEL defined.

// The distance between the means is measured from a number near both, with so few bits that its
// product with a count is exact: no digits are lost far from zero, and equal values have
// distance 0.
static void LEVEL(merge_moments)(
    size_t columns, double count_a, double *sum_a, double *m2_a, double count_b,
    const double *sum_b, const double *m2_b) {
  const double per_a = 1 / count_a, per_b = 1 / count_b;
  const double weight = count_a * count_b / (count_a + count_b);
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) {
    f64v a = LOAD(f64v, sum_a + j), b = LOAD(f64v, sum_b + j);
    f64v q = NEAR(a * per_a);
    f64v d = (b - q * count_b) * per_b - (a - q * count_a) * per_a;
    STORE(f64v, m2_a + j, LOAD(f64v, m2_a + j) + LOAD(f64v, m2_b + j) + d * d * weight);
    STORE(f64v, sum_a + j, a + b);
  }
  for (; j < columns; j++) {
    double a = sum_a[j], b = sum_b[j], q = LEVEL(near)(a * per_a);
    double d = (b - q * count_b) * per_b - (a - q * count_a) * per_a;
    m2_a[j] = m2_a[j] + m2_b[j] + d * d * weight;
    sum_a[j] = a + b;
  }
}

// The same for sums whose rounding errors are known.
static void LEVEL(merge_whole_moments)(
    size_t columns, double count_a, double *sum_a, double *m2_a, double *lost_a, double count_b,
    const double *sum_b, const double *m2_b, const double *lost_b) {
  const double weight = count_a * count_b / (count_a + count_b);
  for (size_t j = 0; j < columns; j++) {
    double a = sum_a[j], la = lost_a[j];
    const double b = sum_b[j], lb = lost_b[j];
    const double q = a / count_a, near = LEVEL(near)(q);
    const double d = DISTANCE(b, lb, q, near, count_b) / count_b
                   - DISTANCE(a, la, q, near, count_a) / count_a;
    m2_a[j] = m2_a[j] + m2_b[j] + d * d * weight;
    TWO_SUM(double, a, la, b);
    sum_a[j] = a, lost_a[j] = la + lb;
  }
}
