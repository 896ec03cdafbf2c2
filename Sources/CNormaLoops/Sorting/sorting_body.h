// Sorted rows, runs and slices; included once for each element type T with keys K in elements E.

static void NAME(sort_rows)(
    const norma_order *order, const T *x, T *values, int64_t *indices, void *scratch, int64_t begin,
    int64_t end) {
  const int64_t size = order->size, wanted = order->wanted;
  const K flip = order->descending ? (K)~(K)0 : 0;
  for (int64_t r = begin; r < end; r++) {
    const T *row = x + r * size;
    E *a = scratch;
    for (int64_t i = 0; i < size; i++) a[i] = MAKE(KEY(row[i]) ^ flip, i);
    const E *sorted = size > 0 ? SORT(a, a + size + 4096, size) : a;
    for (int64_t i = 0; i < wanted; i++) {
      const int64_t index = INDEX_OF(sorted[i]);
      indices[r * wanted + i] = index;
      values[r * wanted + i] = row[index];
    }
  }
}

static void NAME(mode_rows)(
    int64_t size, const T *x, T *values, int64_t *indices, void *scratch, int64_t begin,
    int64_t end) {
  for (int64_t r = begin; r < end; r++) {
    const T *row = x + r * size;
    E *a = scratch;
    for (int64_t i = 0; i < size; i++) a[i] = MAKE(KEY(row[i]), i);
    a = SORT(a, a + size + 4096, size);
    int64_t best = 0, last = 0, run = 0;
    for (int64_t i = 0; i < size; i++) {
      run = i > 0 && KEY_OF(a[i]) == KEY_OF(a[i - 1]) ? run + 1 : 1;
      if (run > best) best = run, last = i;
    }
    indices[r] = INDEX_OF(a[last]);
    values[r] = row[indices[r]];
  }
}

static int64_t NAME(runs)(
    int64_t count, T *sorted, const int64_t *indices, int64_t *inverse, int64_t *counts) {
  int64_t runs = 0;
  for (int64_t i = 0; i < count; i++) {
    if (i == 0 || sorted[i] != sorted[runs - 1]) {
      sorted[runs] = sorted[i];
      counts[runs++] = 0;
    }
    counts[runs - 1]++;
    inverse[indices[i]] = runs - 1;
  }
  return runs;
}

static int64_t NAME(slice_runs)(
    int64_t count, int64_t width, const T *x, int64_t *order, int64_t *inverse, int64_t *counts) {
  int64_t runs = 0;
  for (int64_t i = 0; i < count; i++) {
    const int64_t index = order[i];
    int differs = i == 0;
    if (!differs) {
      const T *a = x + index * width, *b = x + order[runs - 1] * width;
      for (int64_t k = 0; k < width && !differs; k++) differs = a[k] != b[k];
    }
    if (differs) {
      order[runs] = index;
      counts[runs++] = 0;
    }
    counts[runs - 1]++;
    inverse[index] = runs - 1;
  }
  return runs;
}

static int NAME(slice_precedes)(int64_t width, const T *a, const T *b) {
  for (int64_t k = 0; k < width; k++) {
    const K p = KEY(a[k]), q = KEY(b[k]);
    if (p != q) return p < q;
  }
  return 0;
}

static void NAME(order_slices)(
    int64_t count, int64_t width, const T *x, int64_t *order, int64_t *spare) {
  int64_t *a = order, *b = spare;
  for (int64_t i = 0; i < count; i++) a[i] = i;
  for (int64_t run = 1; run < count; run *= 2) {
    for (int64_t start = 0; start < count; start += 2 * run) {
      const int64_t middle = start + run < count ? start + run : count;
      const int64_t end = middle + run < count ? middle + run : count;
      int64_t i = start, j = middle, k = start;
      while (i < middle && j < end) {
        const int second = NAME(slice_precedes)(width, x + a[j] * width, x + a[i] * width);
        b[k++] = second ? a[j++] : a[i++];
      }
      while (i < middle) b[k++] = a[i++];
      while (j < end) b[k++] = a[j++];
    }
    int64_t *swap = a;
    a = b, b = swap;
  }
  if (a != order) memcpy(order, a, (size_t)count * sizeof *a);
}
