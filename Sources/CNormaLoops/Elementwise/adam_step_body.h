// Included once per instruction set with LEVEL defined.

// 16 elements.
static inline __attribute__((always_inline)) void LEVEL(adam_vector)(
    const norma_adam_numbers *n, const float *value, const float *gradient, const float *mean,
    const float *square, float *next_value, float *next_mean, float *next_square, int streamed) {
  const f32v p = LOAD(f32v, value), old = LOAD(f32v, mean);
  f32v g = LOAD(f32v, gradient);
  if (n->joined != 0) g = g + p * n->joined;
  const f32v m = old + (g - old) * n->mean_share;
  const f32v v = LOAD(f32v, square) * n->square_kept + g * g * n->square_share;
  STORE(f32v, next_mean, m);
  STORE(f32v, next_square, v);
  const f32v root = __builtin_elementwise_sqrt(v) * n->scale + n->eps;
  const f32v next = p * n->decay - m * n->size / root;
  if (streamed) __builtin_nontemporal_store(next, (f32v *)next_value);
  else STORE(f32v, next_value, next);
}

static void LEVEL(adam_step)(
    const norma_adam_numbers *numbers, const norma_adam_memory *memory, int streamed, int64_t begin,
    int64_t end) {
  const norma_adam_numbers n = *numbers;
  const norma_adam_memory a = *memory;
  int64_t i = begin;
  for (; i + 16 <= end; i += 16) {
    // The processor's own prefetching stops at the end of a page.
    __builtin_prefetch(a.value + i + AHEAD);
    __builtin_prefetch(a.gradient + i + AHEAD);
    __builtin_prefetch(a.mean + i + AHEAD);
    __builtin_prefetch(a.square + i + AHEAD);
    LEVEL(adam_vector)(
        &n, a.value + i, a.gradient + i, a.mean + i, a.square + i, a.next_value + i,
        a.next_mean + i, a.next_square + i, streamed);
  }
  if (i == end) return;
  float in[4][16] = {{0}}, out[3][16];
  const size_t rest = (size_t)(end - i) * sizeof(float);
  memcpy(in[0], a.value + i, rest);
  memcpy(in[1], a.gradient + i, rest);
  memcpy(in[2], a.mean + i, rest);
  memcpy(in[3], a.square + i, rest);
  LEVEL(adam_vector)(&n, in[0], in[1], in[2], in[3], out[0], out[1], out[2], 0);
  memcpy(a.next_value + i, out[0], rest);
  memcpy(a.next_mean + i, out[1], rest);
  memcpy(a.next_square + i, out[2], rest);
}
