// Sums in 32 interleaved lanes, folded as a tree: the same order on every instruction set.
#pragma once

// The sum of lanes in memory.
#define FOLD32(t) \
  for (int w = 16; w; w /= 2) \
    for (int k = 0; k < w; k++) t[k] += t[k + w]

// The sum of lanes in four vectors, which stay in registers.
#define FOLD_VECTORS(total, s)                                                             \
  do {                                                                                     \
    const f64v whole = (s[0] + s[2]) + (s[1] + s[3]);                                      \
    const f64q half = __builtin_shufflevector(whole, whole, 0, 1, 2, 3)                    \
                    + __builtin_shufflevector(whole, whole, 4, 5, 6, 7);                   \
    total = (half[0] + half[2]) + (half[1] + half[3]);                                     \
  } while (0)

// Adds the terms after the last 32 to the lanes: full vectors first, then the last 8 terms, masking
// those that were added before. `TERMS(at)` are 8 terms in double, `TERM(at)` is one.
#define ADD_REST(s, i, n, TERMS, TERM)                                              \
  do {                                                                              \
    if (i + 8 <= n) s[0] += TERMS(i), i += 8;                                       \
    if (i + 8 <= n) s[1] += TERMS(i), i += 8;                                       \
    if (i + 8 <= n) s[2] += TERMS(i), i += 8;                                       \
    if (i < n && n >= 8) {                                                          \
      const i64v fresh = (i64v){0, 1, 2, 3, 4, 5, 6, 7} >= (int64_t)(8 - (n - i));  \
      s[3] += (f64v)((i64v)TERMS(n - 8) & fresh);                                   \
    } else if (i < n) {                                                             \
      double rest[8] = {0};                                                         \
      for (size_t k = 0; i < n; i++, k++) rest[k] = TERM(i);                        \
      s[3] += LOAD(f64v, rest);                                                     \
    }                                                                               \
  } while (0)

// Prefetches two cache lines far enough ahead that they have arrived when they are needed: the
// processor's own prefetching stops at the end of a page.
#define FETCH_AHEAD(p)                                     \
  do {                                                     \
    __builtin_prefetch((const char *)(p) + FETCH_BYTES);       \
    __builtin_prefetch((const char *)(p) + FETCH_BYTES + 64);  \
  } while (0)
#define FETCH_BYTES 2048
