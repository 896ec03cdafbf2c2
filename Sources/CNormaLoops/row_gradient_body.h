// Included once per instruction set with LEVEL defined.

#define WIDE(p) __builtin_convertvector(LOAD(f32h, p), f64v)

// Sums of u c and of u over a row, in 16 interleaved lanes.
static void LEVEL(row_sums)(
    int64_t n, const float *x, const float *g, const float *weight, double mean, double *centered,
    double *plain) {
  f64v a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0};
  int64_t j = 0;
  for (; j + 16 <= n; j += 16) {
    const f64v u0 = WIDE(g + j) * WIDE(weight + j), u1 = WIDE(g + j + 8) * WIDE(weight + j + 8);
    a0 += u0 * (WIDE(x + j) - mean), a1 += u1 * (WIDE(x + j + 8) - mean);
    b0 += u0, b1 += u1;
  }
  double a[16], b[16];
  STORE(f64v, a, a0), STORE(f64v, a + 8, a1), STORE(f64v, b, b0), STORE(f64v, b + 8, b1);
  for (int k = 0; j < n; j++, k++) {
    const double u = (double)g[j] * (double)weight[j];
    a[k] += u * ((double)x[j] - mean), b[k] += u;
  }
  for (int w = 8; w; w /= 2) {
    for (int k = 0; k < w; k++) a[k] += a[k + w], b[k] += b[k + w];
  }
  *centered = a[0], *plain = b[0];
}

static void LEVEL(row_gradient)(
    const norma_row_gradient *rows, int64_t begin, int64_t end, double *weight_sums,
    double *bias_sums) {
  const int64_t n = rows->columns;
  const float *weight = rows->weight;
  for (int64_t row = begin; row < end; row++) {
    const float *x = rows->x + row * n, *g = rows->upstream + row * n;
    float *out = rows->gradient ? rows->gradient + row * n : NULL;
    const double mean = rows->mean[row], r = 1 / __builtin_sqrt(rows->variance[row] + rows->eps);
    double slope = 0, shift = 0;
    if (out) {
      double centered, plain;
      LEVEL(row_sums)(n, x, g, weight, mean, &centered, &plain);
      const double share = r / -(double)n;
      slope = share * (r * r) * centered, shift = rows->mean_share * share * plain;
    }
    int64_t j = 0;
    for (; j + 8 <= n; j += 8) {
      const f64v c = WIDE(x + j) - mean, u = WIDE(g + j);
      if (out) {
        const f64v dx = u * WIDE(weight + j) * r + c * slope + shift;
        STORE(f32h, out + j, __builtin_convertvector(dx, f32h));
      }
      STORE(f64v, weight_sums + j, LOAD(f64v, weight_sums + j) + u * (c * r));
      STORE(f64v, bias_sums + j, LOAD(f64v, bias_sums + j) + u);
    }
    for (; j < n; j++) {
      const double c = (double)x[j] - mean, u = g[j];
      if (out) out[j] = (float)(u * (double)weight[j] * r + c * slope + shift);
      weight_sums[j] += u * (c * r), bias_sums[j] += u;
    }
  }
}

#undef WIDE
