// Sums, moments, products, minima and maxima; included once per instruction set with LEVEL defined.

static int LEVEL(is_finite)(double x) { return x - x == 0; }

// 32 interleaved sums in double; value i goes to lane i % 32.
static void LEVEL(sum_f32)(size_t n, const void *values, void *sum) {
  const float *p = values;
  f64v s[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    FETCH_AHEAD(p + i);
    for (int h = 0; h < 4; h++) s[h] += __builtin_convertvector(LOAD(f32h, p + i + 8 * h), f64v);
  }
#define TERMS(at) __builtin_convertvector(LOAD(f32h, p + (at)), f64v)
#define TERM(at) (double)p[at]
  ADD_REST(s, i, n, TERMS, TERM);
#undef TERMS
#undef TERM
  double total;
  FOLD_VECTORS(total, s);
  *(double *)sum = total;
}

// Adds x to s and the rounding error to e, exactly (Knuth's two-sum).
#define TWO_SUM(V, s, e, x)        \
  do {                             \
    const V before = s, term = x;  \
    s = before + term;             \
    const V part = s - before;     \
    e += (before - (s - part)) + (term - part); \
  } while (0)

// A sum rounded once, and the remainder.
static void LEVEL(settle)(double *sum, double *lost) {
  double s = *sum, e = 0, more = *lost;
  if (LEVEL(is_finite)(s)) TWO_SUM(double, s, e, more);
  *sum = s, *lost = e;
}

// A number near q with so few bits that its product with a count is exact; so is the product with
// the rest.
static double LEVEL(near)(double q) {
  int64_t bits;
  __builtin_memcpy(&bits, &q, 8);
  bits = (bits + 0x10000000) & -0x20000000;
  __builtin_memcpy(&q, &bits, 8);
  return q;
}
#define NEAR(q) ((f64v)(((i64v)(q) + 0x10000000) & -(int64_t)0x20000000))

// sum + lost - q * n, where q is close to the mean: keeps digits far below the last place of the
// sum.
#define DISTANCE(sum, lost, q, near, n) (((sum - near * n) - (q - near) * n) + lost)

// The mean to the full precision of double: that of equal values is their value.
static double LEVEL(mean_of)(double sum, double lost, double n) {
  const double q = sum / n, near = LEVEL(near)(q);
  const double mean = q + DISTANCE(sum, lost, q, near, n) / n;
  return LEVEL(is_finite)(mean) ? mean : q;
}

// There is no wider type for the sum: the rounding error of each addition is summed separately.
// Together they are the exact sum, up to rounding far below the last place.
static void LEVEL(whole_sum)(size_t n, const double *p, double *sum, double *rest) {
  f64v s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, e0 = {0}, e1 = {0}, e2 = {0}, e3 = {0};
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    TWO_SUM(f64v, s0, e0, LOAD(f64v, p + i));
    TWO_SUM(f64v, s1, e1, LOAD(f64v, p + i + 8));
    TWO_SUM(f64v, s2, e2, LOAD(f64v, p + i + 16));
    TWO_SUM(f64v, s3, e3, LOAD(f64v, p + i + 24));
  }
  double t[32], lost[8], s = 0, e = 0;
  STORE(f64v, t, s0), STORE(f64v, t + 8, s1), STORE(f64v, t + 16, s2), STORE(f64v, t + 24, s3);
  STORE(f64v, lost, e0 + e1 + e2 + e3);
  for (; i < n; i++) TWO_SUM(double, s, e, p[i]);
  for (int k = 0; k < 32; k++) TWO_SUM(double, s, e, t[k]);
  for (int k = 0; k < 8; k++) e += lost[k];
  LEVEL(settle)(&s, &e);
  *sum = s, *rest = e;
}

static void LEVEL(sum_f64)(size_t n, const void *values, void *sum) {
  double rest;
  LEVEL(whole_sum)(n, values, sum, &rest);
}

// Squared distances from a rounded mean; the effect of its rounding error, n * (mean - mu), is
// subtracted: m2 = sum (x - mu)^2 - (sum (x - mu))^2 / n.
static double LEVEL(corrected)(double q, double c, double n) {
  double m2 = q - c * c / n;
  return m2 < 0 ? 0 : m2;
}

// The squared distances from a mean, in double: for double, and for blocks of floats whose squares
// exceed the range of float, such as constant ones.
#define WIDE_SQUARES(s, T, H)                                                                \
  static double LEVEL(wide_squares_##s)(size_t n, const T *p, double mean) {                 \
    f64v q0 = {0}, q1 = {0}, c0 = {0}, c1 = {0};                                             \
    size_t i = 0;                                                                            \
    for (; i + 16 <= n; i += 16) {                                                           \
      f64v u = __builtin_convertvector(LOAD(H, p + i), f64v) - mean;                         \
      f64v v = __builtin_convertvector(LOAD(H, p + i + 8), f64v) - mean;                     \
      q0 += u * u, q1 += v * v, c0 += u, c1 += v;                                            \
    }                                                                                        \
    double q[32] = {0}, c[32] = {0};                                                         \
    STORE(f64v, q, q0), STORE(f64v, q + 8, q1), STORE(f64v, c, c0), STORE(f64v, c + 8, c1);  \
    for (size_t k = 0; i < n; i++, k++) {                                                    \
      double u = (double)p[i] - mean;                                                        \
      q[k] += u * u, c[k] += u;                                                              \
    }                                                                                        \
    FOLD32(q);                                                                               \
    FOLD32(c);                                                                               \
    return LEVEL(corrected)(q[0], c[0], (double)n);                                          \
  }
WIDE_SQUARES(f32, float, f32h)
WIDE_SQUARES(f64, double, f64v)

static int LEVEL(float_range)(double q) { return q > 0x1p-90 && q < 0x1p120; }

// For values with this sum.
static double LEVEL(squares_f32)(size_t n, const float *p, double sum) {
  const double mean = sum / (double)n;
  const float mu = (float)mean;
  // Sums of more than 16 squares drift in float, all in one direction if the data lie on a coarse
  // grid far from zero, so they are moved to double in time.
  f64v d[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  while (i + 32 <= n) {
    const size_t end = i + 512 < n ? i + 512 : n;
    f32v q0 = {0}, q1 = {0};
    for (; i + 32 <= end; i += 32) {
      f32v u = LOAD(f32v, p + i) - mu, v = LOAD(f32v, p + i + 16) - mu;
      q0 += u * u, q1 += v * v;
    }
    float t[32];
    STORE(f32v, t, q0), STORE(f32v, t + 16, q1);
    for (int h = 0; h < 4; h++) d[h] += __builtin_convertvector(LOAD(f32h, t + 8 * h), f64v);
  }
#define TERMS(at) ({ \
    const f64v u = __builtin_convertvector(LOAD(f32h, p + (at)), f64v) - (double)mu; u * u; })
#define TERM(at) (((double)p[at] - mu) * ((double)p[at] - mu))
  ADD_REST(d, i, n, TERMS, TERM);
#undef TERMS
#undef TERM
  double squares;
  FOLD_VECTORS(squares, d);
  return LEVEL(float_range)(squares)
             ? LEVEL(corrected)(squares, sum - (double)n * mu, (double)n)
             : LEVEL(wide_squares_f32)(n, p, mean);
}

static void LEVEL(moments_f32)(
    size_t n, const void *values, double *sum, double *m2, double *lost) {
  (void)lost;
  LEVEL(sum_f32)(n, values, sum);
  *m2 = LEVEL(squares_f32)(n, values, *sum);
}

// The divisions of several rows overlap with their sums.
static void LEVEL(row_moments_f32)(
    size_t rows, size_t n, size_t pitch, const float *values, double *sums, double *m2s) {
  for (size_t i = 0; i < rows; i++) LEVEL(sum_f32)(n, values + i * pitch, &sums[i]);
  for (size_t i = 0; i < rows; i++) m2s[i] = LEVEL(squares_f32)(n, values + i * pitch, sums[i]);
}

// The mean of numbers whose sum exceeds the range of double.
static double LEVEL(divided_mean)(size_t n, size_t pitch, const double *p) {
  double mean = 0;
  for (size_t i = 0; i < n; i++) mean += p[i * pitch] / (double)n;
  return mean;
}

static void LEVEL(moments_f64)(
    size_t n, const void *values, double *sum, double *m2, double *lost) {
  const double *p = values;
  LEVEL(whole_sum)(n, p, sum, lost);
  double mu = LEVEL(mean_of)(*sum, *lost, (double)n);
  if (!LEVEL(is_finite)(mu)) mu = LEVEL(divided_mean)(n, 1, p);
  *m2 = LEVEL(wide_squares_f64)(n, p, mu);
}

// One result per column; the columns of a strip stay in registers for all rows.

// Four rows at a time, so that memory is read along the rows; every column is added in order.
static void LEVEL(column_sum_f32)(
    size_t rows, size_t columns, size_t pitch, const void *values, void *results) {
  double *sums = results;
  for (size_t i = 0; i < rows; i += 4) {
    const float *p = (const float *)values + i * pitch;
    const size_t count = rows - i < 4 ? rows - i : 4;
    size_t j = 0;
    for (; j + 16 <= columns; j += 16) {
      f64v s0 = {0}, s1 = {0};
      if (i) s0 = LOAD(f64v, sums + j), s1 = LOAD(f64v, sums + j + 8);
      for (size_t k = 0; k < count; k++) {
        // The same column four rows ahead, which the processor does not anticipate.
        __builtin_prefetch(p + (k + 4) * pitch + j);
        s0 += __builtin_convertvector(LOAD(f32h, p + k * pitch + j), f64v);
        s1 += __builtin_convertvector(LOAD(f32h, p + k * pitch + j + 8), f64v);
      }
      STORE(f64v, sums + j, s0), STORE(f64v, sums + j + 8, s1);
    }
    for (; j < columns; j++) {
      double s = i ? sums[j] : 0;
      for (size_t k = 0; k < count; k++) s += p[k * pitch + j];
      sums[j] = s;
    }
  }
}

static void LEVEL(whole_column_sum)(
    size_t rows, size_t columns, size_t pitch, const double *p, double *sums, double *lost) {
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) {
    f64v s = {0}, e = {0};
    for (size_t i = 0; i < rows; i++) TWO_SUM(f64v, s, e, LOAD(f64v, p + i * pitch + j));
    STORE(f64v, sums + j, s), STORE(f64v, lost + j, e);
  }
  for (; j < columns; j++) {
    double s = 0, e = 0;
    for (size_t i = 0; i < rows; i++) TWO_SUM(double, s, e, p[i * pitch + j]);
    sums[j] = s, lost[j] = e;
  }
  for (j = 0; j < columns; j++) LEVEL(settle)(&sums[j], &lost[j]);
}

static void LEVEL(column_sum_f64)(
    size_t rows, size_t columns, size_t pitch, const void *values, void *results) {
  double lost[NORMA_BLOCK];
  LEVEL(whole_column_sum)(rows, columns, pitch, values, results, lost);
}

// In double, if the squares of a column exceed the range of float.
static void LEVEL(wide_column)(
    size_t rows, size_t pitch, const float *p, double sum, double squares, double *m2) {
  if (LEVEL(float_range)(squares)) return;
  const double n = (double)rows, mean = sum / n;
  double q = 0, c = 0;
  for (size_t i = 0; i < rows; i++) {
    double u = p[i * pitch] - mean;
    q += u * u, c += u;
  }
  *m2 = LEVEL(corrected)(q, c, n);
}

static void LEVEL(column_moments_f32)(
    size_t rows, size_t columns, size_t pitch, const void *values, double *sums, double *m2s,
    double *lost) {
  (void)lost;
  const float *p = values;
  LEVEL(column_sum_f32)(rows, columns, pitch, values, sums);
  const double n = (double)rows, per = 1 / n;
  size_t j = 0;
  for (; j + 16 <= columns; j += 16) {
    // Any number close to the mean is suitable: its error is subtracted later.
    const f64v s0 = LOAD(f64v, sums + j), s1 = LOAD(f64v, sums + j + 8);
    const f32h mu0 = __builtin_convertvector(s0 * per, f32h);
    const f32h mu1 = __builtin_convertvector(s1 * per, f32h);
    f64v d0 = {0}, d1 = {0};
    for (size_t i = 0; i < rows;) {
      const size_t end = i + 16 < rows ? i + 16 : rows;
      f32h q0 = {0}, q1 = {0};
      for (; i < end; i++) {
        f32h u = LOAD(f32h, p + i * pitch + j) - mu0, v = LOAD(f32h, p + i * pitch + j + 8) - mu1;
        q0 += u * u, q1 += v * v;
      }
      d0 += __builtin_convertvector(q0, f64v), d1 += __builtin_convertvector(q1, f64v);
    }
    const f64v c0 = s0 - n * __builtin_convertvector(mu0, f64v);
    const f64v c1 = s1 - n * __builtin_convertvector(mu1, f64v);
    const f64v m0 = d0 - c0 * c0 * per, m1 = d1 - c1 * c1 * per;
    STORE(f64v, m2s + j, CHOOSE(f64v, i64v, m0 < 0, (f64v){0}, m0));
    STORE(f64v, m2s + j + 8, CHOOSE(f64v, i64v, m1 < 0, (f64v){0}, m1));
    const i64v usual = (d0 > 0x1p-90) & (d0 < 0x1p120) & (d1 > 0x1p-90) & (d1 < 0x1p120);
    if (__builtin_reduce_and(usual)) continue;
    double d[16];
    STORE(f64v, d, d0), STORE(f64v, d + 8, d1);
    for (int k = 0; k < 16; k++) {
      LEVEL(wide_column)(rows, pitch, p + j + k, sums[j + k], d[k], &m2s[j + k]);
    }
  }
  // Few columns go with many rows: more than a float can sum accurately.
  for (; j < columns; j++) LEVEL(wide_column)(rows, pitch, p + j, sums[j], 0, &m2s[j]);
}

static double LEVEL(column_squares_f64)(
    size_t rows, size_t pitch, const double *p, double mean) {
  double q = 0, lost = 0, c = 0;
  if (!LEVEL(is_finite)(mean)) mean = LEVEL(divided_mean)(rows, pitch, p);
  for (size_t i = 0; i < rows; i++) {
    double u = p[i * pitch] - mean;
    TWO_SUM(double, q, lost, u * u);
    c += u;
  }
  return LEVEL(corrected)(LEVEL(is_finite)(q) ? q + lost : q, c, (double)rows);
}

static void LEVEL(column_moments_f64)(
    size_t rows, size_t columns, size_t pitch, const void *values, double *sums, double *m2s,
    double *lost) {
  const double *p = values;
  LEVEL(whole_column_sum)(rows, columns, pitch, values, sums, lost);
  const double n = (double)rows;
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) {
    const f64v sum = LOAD(f64v, sums + j), rough = sum / n, near = NEAR(rough);
    const f64v mean = rough + DISTANCE(sum, LOAD(f64v, lost + j), rough, near, n) / n;
    f64v q = {0}, e = {0}, c = {0};
    for (size_t i = 0; i < rows; i++) {
      f64v u = LOAD(f64v, p + i * pitch + j) - mean;
      TWO_SUM(f64v, q, e, u * u);
      c += u;
    }
    STORE(f64v, m2s + j, (q + e) - c * c / n);
    for (int k = 0; k < 8; k++) {
      if (m2s[j + k] >= 0 && LEVEL(is_finite)(m2s[j + k])) continue;
      const double m = LEVEL(mean_of)(sums[j + k], lost[j + k], n);
      m2s[j + k] = LEVEL(column_squares_f64)(rows, pitch, p + j + k, m);
    }
  }
  for (; j < columns; j++) {
    const double m = LEVEL(mean_of)(sums[j], lost[j], n);
    m2s[j] = LEVEL(column_squares_f64)(rows, pitch, p + j, m);
  }
}

#include "products_body.h"
#include "extremes_body.h"
#include "merges_body.h"
#include "centered_body.h"
#include "weighted_moments_body.h"


static const norma_reductions LEVEL(reductions)[NORMA_TYPE_COUNT] = {
#define FLOATS(s) \
  {LEVEL(sum_##s), LEVEL(moments_##s), LEVEL(min_##s), LEVEL(max_##s), LEVEL(column_sum_##s), \
   LEVEL(column_moments_##s), LEVEL(column_min_##s), LEVEL(column_max_##s), \
   LEVEL(centered_sum_##s), LEVEL(column_centered_sum_##s), \
   LEVEL(product_##s), LEVEL(column_product_##s), LEVEL(weighted_##s), LEVEL(column_weighted_##s)}
// Sums and products of uint64 have the bits of those of int64.
#define INTEGERS(s, bits) \
  {LEVEL(sum_##bits), 0, LEVEL(min_##s), LEVEL(max_##s), LEVEL(column_sum_##bits), \
   0, LEVEL(column_min_##s), LEVEL(column_max_##s), 0, 0, \
   LEVEL(product_##bits), LEVEL(column_product_##bits), 0, 0}
    FLOATS(f32), FLOATS(f64), INTEGERS(i64, i64), INTEGERS(i32, i32), INTEGERS(u8, u8),
    INTEGERS(u64, i64)
};
