// A stable sort of elements E with a key; included once for each E. BYTES is the number of key
// bytes, KEY_BYTE(e, k) the k-th from the least significant, PRECEDES(a, b) whether a goes before b
// although it came after it.

// Rows shorter than this are merge sorted; longer ones are radix sorted byte by byte.
enum { NAME(shortest_radix) = 384, NAME(run) = 12 };

static void NAME(insertion)(E *a, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const E e = a[i];
    int64_t j = i;
    for (; j > 0 && PRECEDES(e, a[j - 1]); j--) a[j] = a[j - 1];
    a[j] = e;
  }
}

static void NAME(merge)(const E *a, int64_t m, const E *b, int64_t n, E *to) {
  int64_t i = 0, j = 0;
  while (i < m && j < n) {
    const int second = PRECEDES(b[j], a[i]);
    *to++ = second ? b[j] : a[i];
    j += second;
    i += !second;
  }
  while (i < m) *to++ = a[i++];
  while (j < n) *to++ = b[j++];
}

// Both sorts leave the result in a or in b, and return which.
static E *NAME(merge_sort)(E *a, E *b, int64_t n) {
  for (int64_t i = 0; i < n; i += NAME(run)) {
    NAME(insertion)(a + i, n - i < NAME(run) ? n - i : NAME(run));
  }
  for (int64_t width = NAME(run); width < n; width *= 2) {
    for (int64_t i = 0; i < n; i += 2 * width) {
      const int64_t m = n - i < width ? n - i : width;
      const int64_t rest = n - i - m < width ? n - i - m : width;
      NAME(merge)(a + i, m, a + i + m, rest, b + i);
    }
    E *swap = a;
    a = b, b = swap;
  }
  return a;
}

static E *NAME(radix_sort)(E *a, E *b, int64_t n) {
  int64_t counts[BYTES][256] = {{0}};
  for (int64_t i = 0; i < n; i++) {
    const E e = a[i];
    for (int k = 0; k < BYTES; k++) counts[k][KEY_BYTE(e, k)]++;
  }
  for (int k = 0; k < BYTES; k++) {
    int64_t *count = counts[k];
    if (count[KEY_BYTE(a[0], k)] == n) continue;  // All have the same byte.
    int64_t index = 0;
    for (int d = 0; d < 256; d++) {
      const int64_t c = count[d];
      count[d] = index;
      index += c;
    }
    for (int64_t i = 0; i < n; i++) {
      const E e = a[i];
      b[count[KEY_BYTE(e, k)]++] = e;
    }
    E *swap = a;
    a = b, b = swap;
  }
  return a;
}

E *NAME(norma_sort)(E *a, E *b, int64_t n) {
  return n < NAME(shortest_radix) ? NAME(merge_sort)(a, b, n) : NAME(radix_sort)(a, b, n);
}
