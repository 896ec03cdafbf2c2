// Rows of values with a row of parameters; included once per instruction set with LEVEL defined.

// y = ((x - high) - low) * (inverse * weight) + bias for rows of n values with stride `pitch`.
static void LEVEL(normalize_rows)(
    int64_t rows, int64_t n, int64_t pitch, const float *x, const norma_centers *centers,
    const float *weight, const float *bias, float *y) {
  for (int64_t row = 0; row < rows; row++, x += pitch, y += pitch) {
    const float high = centers->high[row], low = centers->low[row], r = centers->inverse[row];
    int64_t j = 0;
#define EACH(V, at, shift) \
  STORE(V, y + (at), ((LOAD(V, x + (at)) - high) - low) * (r * LOAD(V, weight + (at))) + (shift))
    if (bias) {
      for (; j + 16 <= n; j += 16) EACH(f32v, j, LOAD(f32v, bias + j));
      for (; j < n; j++) y[j] = ((x[j] - high) - low) * (r * weight[j]) + bias[j];
    } else {
      for (; j + 16 <= n; j += 16) EACH(f32v, j, 0.0f);
      for (; j < n; j++) y[j] = ((x[j] - high) - low) * (r * weight[j]) + 0.0f;
    }
#undef EACH
  }
}

#define WIDE(p) __builtin_convertvector(LOAD(f32h, p), f64v)

// The sums of a row, with r = 1 / sqrt(variance + eps): of u c and of u, in 16 interleaved lanes; g
// c r and g are added to the sums of the columns. `kept`, if not NULL, holds the weights in double,
// then space for u and c.
static inline __attribute__((always_inline)) void LEVEL(row_sums)(
    int64_t n, const float *x, const float *g, const float *weight, double mean, double r,
    double *weight_sums, double *bias_sums, double *kept, double *centered, double *plain) {
  f64v a[2] = {{0}, {0}}, b[2] = {{0}, {0}};
  int64_t j = 0;
  for (; j + 16 <= n; j += 16) {
    for (int h = 0; h < 2; h++) {
      const int64_t at = j + 8 * h;
      const f64v c = WIDE(x + at) - mean, v = WIDE(g + at);
      const f64v u = v * (kept ? LOAD(f64v, kept + at) : WIDE(weight + at));
      a[h] += u * c, b[h] += u;
      STORE(f64v, weight_sums + at, LOAD(f64v, weight_sums + at) + v * (c * r));
      STORE(f64v, bias_sums + at, LOAD(f64v, bias_sums + at) + v);
      if (kept) STORE(f64v, kept + n + at, u), STORE(f64v, kept + 2 * n + at, c);
    }
  }
  double s[16], t[16];
  STORE(f64v, s, a[0]), STORE(f64v, s + 8, a[1]), STORE(f64v, t, b[0]), STORE(f64v, t + 8, b[1]);
  for (int k = 0; j < n; j++, k++) {
    const double c = (double)x[j] - mean, v = g[j], u = v * (double)weight[j];
    s[k] += u * c, t[k] += u;
    weight_sums[j] += v * (c * r), bias_sums[j] += v;
    if (kept) kept[n + j] = u, kept[2 * n + j] = c;
  }
  for (int w = 8; w; w /= 2) {
    for (int k = 0; k < w; k++) s[k] += s[k + w], t[k] += t[k + w];
  }
  *centered = s[0], *plain = t[0];
}

static void LEVEL(row_gradient)(
    const norma_groups *rows, const norma_group_parameters *parameters, const float *all,
    const float *upstream, const double *means, const double *variance, float *gradient,
    double *weight_sums, double *bias_sums, int64_t begin, int64_t end) {
  const int64_t n = rows->length;
  const float *weight = parameters->weight;
  // Conversions are a third of the work: converted values are kept as long as they fit the
  // first-level cache.
  _Alignas(64) double kept[3 * MOST_KEPT];
  const int keeps = gradient && n <= MOST_KEPT;
  for (int64_t j = 0; keeps && j < n; j++) kept[j] = weight[j];
  for (int64_t row = begin; row < end; row++) {
    const float *x = all + row * n, *g = upstream + row * n;
    const double mean = means[row], r = 1 / __builtin_sqrt(variance[row] + parameters->eps);
    double centered, plain, slope, shift;
    if (keeps) {
      LEVEL(row_sums)(n, x, g, weight, mean, r, weight_sums, bias_sums, kept, &centered, &plain);
    } else {
      LEVEL(row_sums)(n, x, g, weight, mean, r, weight_sums, bias_sums, NULL, &centered, &plain);
    }
    if (!gradient) continue;
    float *out = gradient + row * n;
    gradient_terms(r, (double)n, centered, plain, parameters->from_zero, &slope, &shift);
    int64_t j = 0;
#define STORE_EACH(u, c) \
  STORE(f32h, out + j, __builtin_convertvector((u) * r + (c) * slope + shift, f32h))
    if (keeps) {
      const double *u = kept + n, *c = u + n;
      for (; j + 8 <= n; j += 8) STORE_EACH(LOAD(f64v, u + j), LOAD(f64v, c + j));
    } else {
      for (; j + 8 <= n; j += 8) STORE_EACH(WIDE(g + j) * WIDE(weight + j), WIDE(x + j) - mean);
    }
#undef STORE_EACH
    for (; j < n; j++) {
      const double c = (double)x[j] - mean, u = (double)g[j] * (double)weight[j];
      out[j] = (float)(u * r + c * slope + shift);
    }
  }
}

#undef WIDE
