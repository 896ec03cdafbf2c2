// Included once per instruction set with LEVEL defined. Elementwise loops over one row, which the
// compiler vectorizes.

#define LOOPS(name, T)                                                                            \
  static void LEVEL(sums_##name)(int64_t n, const T *x, T *p) {                                   \
    for (int64_t j = 0; j < n; j++) p[j] = x[j] + p[j];                                           \
  }                                                                                               \
  /* p = x + b + p; without b if it is NULL. */                                                   \
  static void LEVEL(biased_##name)(int64_t n, const T *x, const T *b, T *p) {                     \
    if (!b) return LEVEL(sums_##name)(n, x, p);                                                   \
    for (int64_t j = 0; j < n; j++) p[j] = x[j] + b[j] + p[j];                                    \
  }                                                                                               \
  static void LEVEL(relu_##name)(int64_t n, const T *s, T *y) {                                   \
    for (int64_t j = 0; j < n; j++) y[j] = s[j] < 0 ? 0 : s[j];                                   \
  }                                                                                               \
  static void LEVEL(cells_##name)(int64_t n, const T *gates, const T *cell, T *new_cell) {        \
    const T *i = gates, *f = gates + n, *g = gates + 2 * n;                                       \
    for (int64_t j = 0; j < n; j++) new_cell[j] = f[j] * cell[j] + i[j] * g[j];                   \
  }                                                                                               \
  static void LEVEL(scale_##name)(int64_t n, const T *restrict o, T *restrict y) {                \
    for (int64_t j = 0; j < n; j++) y[j] = o[j] * y[j];                                           \
  }                                                                                               \
  static void LEVEL(resets_##name)(                                                               \
      int64_t n, const T *restrict r, const T *restrict m, T *restrict y) {                       \
    for (int64_t j = 0; j < n; j++) y[j] = r[j] * m[j];                                           \
  }                                                                                               \
  static void LEVEL(updates_##name)(                                                              \
      int64_t n, const T *restrict z, const T *restrict h, T *restrict y) {                       \
    for (int64_t j = 0; j < n; j++) y[j] = y[j] + z[j] * (h[j] - y[j]);                           \
  }                                                                                               \
  static void LEVEL(rnn_gradient_##name)(                                                         \
      int64_t n, int is_relu, const T *restrict y, const T *restrict d, T *restrict gates) {      \
    if (is_relu) {                                                                                \
      for (int64_t j = 0; j < n; j++) gates[j] = y[j] > 0 ? d[j] : 0;                             \
    } else {                                                                                      \
      for (int64_t j = 0; j < n; j++) gates[j] = d[j] * (1 - y[j] * y[j]);                        \
    }                                                                                             \
  }                                                                                               \
  /* `shown` is tanh of the new cell. */                                                          \
  static void LEVEL(lstm_gradient_##name)(                                                        \
      int64_t n, const T *restrict saved, const T *restrict shown, const T *restrict cell,        \
      const T *restrict d, T *restrict slope, T *restrict gates) {                                \
    const T *i = saved, *f = saved + n, *g = saved + 2 * n, *o = saved + 3 * n;                   \
    for (int64_t j = 0; j < n; j++) {                                                             \
      const T next = slope[j] + d[j] * o[j] * (1 - shown[j] * shown[j]);                          \
      gates[j] = next * g[j] * (i[j] * (1 - i[j]));                                               \
      gates[n + j] = next * cell[j] * (f[j] * (1 - f[j]));                                        \
      gates[2 * n + j] = next * i[j] * (1 - g[j] * g[j]);                                         \
      gates[3 * n + j] = d[j] * shown[j] * (o[j] * (1 - o[j]));                                   \
      slope[j] = next * f[j];                                                                     \
    }                                                                                             \
  }                                                                                               \
  static void LEVEL(gru_gradient_##name)(                                                         \
      int64_t n, const T *restrict saved, const T *restrict h, T *restrict d, T *restrict gates,  \
      T *restrict products) {                                                                     \
    const T *r = saved, *z = saved + n, *y = saved + 2 * n, *m = saved + 3 * n;                   \
    for (int64_t j = 0; j < n; j++) {                                                             \
      const T last = d[j] * (1 - z[j]) * (1 - y[j] * y[j]);                                       \
      gates[j] = products[j] = last * m[j] * (r[j] * (1 - r[j]));                                 \
      gates[n + j] = products[n + j] = d[j] * (h[j] - y[j]) * (z[j] * (1 - z[j]));                \
      gates[2 * n + j] = last;                                                                    \
      products[2 * n + j] = last * r[j];                                                          \
      d[j] *= z[j];                                                                               \
    }                                                                                             \
  }
LOOPS(f32, float)
LOOPS(f64, double)
