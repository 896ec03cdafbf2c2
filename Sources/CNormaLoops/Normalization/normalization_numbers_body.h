// Included once per instruction set with LEVEL defined.

static void LEVEL(mean_and_variance)(
    int64_t count, double n, const double *sums, const double *squares, double *mean,
    double *variance) {
  for (int64_t i = 0; i < count; i++) mean[i] = sums[i] / n;
  for (int64_t i = 0; i < count; i++) variance[i] = squares[i] / n;
}

static void LEVEL(normalization_numbers)(
    int64_t count, const double *mean, const double *variance, double eps, const float *weight,
    const float *bias, float *high, float *low, float *scale, float *shift) {
  for (int64_t i = 0; i < count; i++) high[i] = (float)mean[i];
  for (int64_t i = 0; i < count; i++) {
    // An infinite mean has no low part, either.
    low[i] = mean[i] == (double)high[i] ? 0 : (float)(mean[i] - (double)high[i]);
  }
  if (weight) {
    for (int64_t i = 0; i < count; i++) {
      scale[i] = (float)(1 / __builtin_sqrt(variance[i] + eps) * (double)weight[i]);
    }
  } else {
    for (int64_t i = 0; i < count; i++) scale[i] = (float)(1 / __builtin_sqrt(variance[i] + eps));
  }
  for (int64_t i = 0; i < count; i++) shift[i] = bias ? bias[i] : 0;
}

static void LEVEL(follow)(
    int64_t count, const float *old, const double *target, double divisor, double share,
    float *result) {
  const double rest = 1 - share;
  for (int64_t i = 0; i < count; i++) {
    result[i] = (float)((double)old[i] * rest + target[i] / divisor * share);
  }
}
