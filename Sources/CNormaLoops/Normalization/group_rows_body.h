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
