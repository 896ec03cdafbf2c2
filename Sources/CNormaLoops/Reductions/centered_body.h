// Sums of (x - mean) * g for the gradients of normalizations; included once per instruction set
// with LEVEL defined. Both factors are exact in double, and both tensors are read together.

static void LEVEL(centered_sum_f32)(
    size_t n, const void *x, const void *g, const double *mean, double *sum) {
  const float *p = x, *q = g;
  const double m = *mean;
  f64v s[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    FETCH_AHEAD(p + i);
    FETCH_AHEAD(q + i);
    for (int k = 0; k < 4; k++) {
      s[k] += (__builtin_convertvector(LOAD(f32h, p + i + 8 * k), f64v) - m)
            * __builtin_convertvector(LOAD(f32h, q + i + 8 * k), f64v);
    }
  }
#define TERMS(at)                                              \
  ((__builtin_convertvector(LOAD(f32h, p + (at)), f64v) - m)   \
   * __builtin_convertvector(LOAD(f32h, q + (at)), f64v))
#define TERM(at) (((double)p[at] - m) * (double)q[at])
  ADD_REST(s, i, n, TERMS, TERM);
#undef TERMS
#undef TERM
  double total;
  FOLD_VECTORS(total, s);
  *sum = total;
}

static void LEVEL(centered_sum_f64)(
    size_t n, const void *x, const void *g, const double *mean, double *sum) {
  const double *p = x, *q = g;
  const double m = *mean;
  f64v s[4] = {{0}, {0}, {0}, {0}}, e[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    for (int k = 0; k < 4; k++) {
      TWO_SUM(f64v, s[k], e[k], (LOAD(f64v, p + i + 8 * k) - m) * LOAD(f64v, q + i + 8 * k));
    }
  }
  double t[32], lost[8], total = 0, rest = 0;
  for (int k = 0; k < 4; k++) STORE(f64v, t + 8 * k, s[k]);
  STORE(f64v, lost, e[0] + e[1] + e[2] + e[3]);
  for (; i < n; i++) TWO_SUM(double, total, rest, (p[i] - m) * q[i]);
  for (int k = 0; k < 32; k++) TWO_SUM(double, total, rest, t[k]);
  for (int k = 0; k < 8; k++) rest += lost[k];
  *sum = LEVEL(is_finite)(total) ? total + rest : total;
}

// Four rows at a time, so that memory is read along the rows; every column is added in order.
static void LEVEL(column_centered_sum_f32)(
    size_t rows, size_t columns, size_t pitch_x, const void *x, size_t pitch_g, const void *g,
    const double *means, double *sums) {
  for (size_t i = 0; i < rows; i += 4) {
    const float *p = (const float *)x + i * pitch_x, *q = (const float *)g + i * pitch_g;
    const size_t count = rows - i < 4 ? rows - i : 4;
    size_t j = 0;
    for (; j + 8 <= columns; j += 8) {
      f64v s = {0};
      if (i) s = LOAD(f64v, sums + j);
      for (size_t k = 0; k < count; k++) {
        const f64v x = __builtin_convertvector(LOAD(f32h, p + k * pitch_x + j), f64v);
        const f64v g = __builtin_convertvector(LOAD(f32h, q + k * pitch_g + j), f64v);
        s += (x - LOAD(f64v, means + j)) * g;
      }
      STORE(f64v, sums + j, s);
    }
    for (; j < columns; j++) {
      double s = i ? sums[j] : 0;
      for (size_t k = 0; k < count; k++) {
        s += ((double)p[k * pitch_x + j] - means[j]) * (double)q[k * pitch_g + j];
      }
      sums[j] = s;
    }
  }
}

static void LEVEL(column_centered_sum_f64)(
    size_t rows, size_t columns, size_t pitch_x, const void *x, size_t pitch_g, const void *g,
    const double *means, double *sums) {
  const double *p = x, *q = g;
  for (size_t j = 0; j < columns; j++) {
    double s = 0, e = 0;
    for (size_t i = 0; i < rows; i++) {
      TWO_SUM(double, s, e, (p[i * pitch_x + j] - means[j]) * q[i * pitch_g + j]);
    }
    sums[j] = LEVEL(is_finite)(s) ? s + e : s;
  }
}
