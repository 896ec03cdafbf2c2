// Selecting elements by rank, and the first few in order, without sorting rows; included once for
// each instruction set and element type T.
//
// Keys in memory are padded to a full vector with the largest key, which is less than no other.

VECTOR_OF(T, NAME(row));
VECTOR_OF(K, NAME(keys));
#define KV NAME(keys)
#define LOAD_KEYS(p) LOAD_OF(KV, p)
#define KEY_BITS(mask) LANE_BITS(LANES(K), mask)
#define ROW_BITS(mask) LANE_BITS(LANES(T), mask)
#define HIGHEST(k) ((K)1 << (63 - __builtin_clzll(k)))

enum {
  NAME(lanes) = LANES(K),
  NAME(fill) = 64,          // space for padding after keys
  NAME(most_ranks) = 6,     // for more, the row is sorted
  NAME(most_counted) = 32,  // up to this many are ordered by counting smaller ones
  NAME(long_row) = 1024     // from this length on, candidates are copied
};

static void NAME(fill_up)(K *keys, int64_t count) {
  for (int64_t i = count; i % NAME(lanes); i++) keys[i] = (K) ~(K)0;
}

// The keys of a row, inverted for descending order.
static void NAME(take_keys)(const T *row, int64_t size, K flip, K *keys) {
  for (int64_t i = 0; i < size; i++) keys[i] = KEY(row[i]) ^ flip;
  NAME(fill_up)(keys, size);
}

static int64_t NAME(count_smaller)(const K *keys, int64_t size, K key) {
  KV count = {0};
  for (int64_t i = 0; i < size; i += NAME(lanes)) count -= (KV)(LOAD_KEYS(keys + i) < key);
  return (int64_t)__builtin_reduce_add(count);
}

// The smallest key that is not less than `key`.
static K NAME(next_key)(const K *keys, int64_t size, K key) {
  KV next = ~(KV){0};
  for (int64_t i = 0; i < size; i += NAME(lanes)) {
    const KV k = LOAD_KEYS(keys + i);
    next = CHOOSE(KV, KV, (k >= key) & (k < next), k, next);
  }
  return __builtin_reduce_min(next);
}

// The number of keys less than each of three bounds.
static void NAME(count_three)(const K *keys, int64_t size, const K *bounds, int64_t *counts) {
  KV a = {0}, b = {0}, c = {0};
  for (int64_t i = 0; i < size; i += NAME(lanes)) {
    const KV k = LOAD_KEYS(keys + i);
    a -= (KV)(k < bounds[0]), b -= (KV)(k < bounds[1]), c -= (KV)(k < bounds[2]);
  }
  counts[0] = (int64_t)__builtin_reduce_add(a), counts[1] = (int64_t)__builtin_reduce_add(b);
  counts[2] = (int64_t)__builtin_reduce_add(c);
}

// The key of a rank, found bit by bit, two bits at a time from the highest in which keys differ.
// `key` has the bits decided so far, and zeros in the `open` ones. Keys that agree with it in all
// decided bits are candidates, of the ranks `begin ..< end`; the search ends when one is left. The
// candidates of long rows are copied to `spare`, so that only they are read again. On return
// `below` keys are less than the result, and `equal` ones are equal to it.
static K NAME(key_at)(
    const K *keys, int64_t size, int64_t rank, K *spare, int64_t *below, int64_t *equal) {
  K in_some = 0, in_all = (K) ~(K)0;
  for (int64_t i = 0; i < size; i++) in_some |= keys[i], in_all &= keys[i];
  K key = in_all, open = in_some ^ in_all;
  int64_t begin = 0, end = size;
  int64_t dropped = 0;  // keys less than all candidates, which were not copied
  while (open && end - begin > 1) {
    const K high = HIGHEST(open);
    open ^= high;
    const K low = open ? HIGHEST(open) : 0;
    open ^= low;
    const K bounds[3] = {key | low, key | high, key | high | low};
    int64_t counts[3];
    NAME(count_three)(keys, size, bounds, counts);
    for (int b = 0; b < 3; b++) {
      const int64_t less = dropped + counts[b];
      if (less > rank) {
        end = less;
        break;
      }
      key = bounds[b], begin = less;
    }
    if (size < NAME(long_row) || 4 * (end - begin) > size) continue;
    int64_t n = 0;
    for (int64_t i = 0; i < size; i += NAME(lanes)) {
      uint64_t bits = KEY_BITS((LOAD_KEYS(keys + i) & ~open) == key);
      for (; bits; bits &= bits - 1) spare[n++] = keys[i + __builtin_ctzll(bits)];
    }
    NAME(fill_up)(spare, n);
    keys = spare, size = n, dropped = begin;
  }
  *below = begin, *equal = end - begin;
  return open ? NAME(next_key)(keys, size, key) : key;
}

// The index of the `number`-th among equal keys.
static int64_t NAME(index_of)(const K *keys, K key, int64_t number) {
  for (int64_t i = 0;; i += NAME(lanes)) {
    uint64_t bits = KEY_BITS(LOAD_KEYS(keys + i) == key);
    const int found = __builtin_popcountll(bits);
    if (number < found) {
      for (; number > 0; number--) bits &= bits - 1;
      return i + __builtin_ctzll(bits);
    }
    number -= found;
  }
}

// The indices of the elements of a rank and of the next one.
static void NAME(indices_at)(
    const K *keys, int64_t size, int64_t rank, int wants_next, K *spare, int64_t *low,
    int64_t *high) {
  int64_t below, equal;
  const K key = NAME(key_at)(keys, size, rank, spare, &below, &equal);
  *low = *high = NAME(index_of)(keys, key, rank - below);
  if (!wants_next) return;
  if (rank + 1 < below + equal) {
    *high = NAME(index_of)(keys, key, rank + 1 - below);
  } else {
    *high = NAME(index_of)(keys, NAME(next_key)(keys, size, key + 1), 0);
  }
}

static void NAME(select_rows)(
    const norma_ranks *ranks, const T *x, T *low, int64_t *low_indices, T *high,
    int64_t *high_indices, double *weights, void *scratch, int64_t begin, int64_t end) {
  const int64_t size = ranks->size, count = ranks->count;
  K *keys = scratch, *spare = keys + size + NAME(fill);
  for (int64_t r = begin; r < end; r++) {
    const T *row = x + r * size;
    NAME(take_keys)(row, size, 0, keys);
    int64_t valid = size, nan = 0;
    if ((T)0.5 != 0 && ranks->nan_rule != NORMA_NAN_LAST) {
      const K missing = (K) ~(K)0;
      valid = NAME(count_smaller)(keys, size, missing);
      if (valid < size) nan = NAME(index_of)(keys, missing, 0);
    }
    const int is_nan = ranks->nan_rule == NORMA_NAN_WINS ? valid < size : valid == 0;
    E *sorted = NULL;
    if (!is_nan && count > NAME(most_ranks)) {
      E *a = scratch;
      for (int64_t i = 0; i < size; i++) a[i] = MAKE(KEY(row[i]), i);
      sorted = SORT(a, a + size + 4096, size);
    }
    for (int64_t k = 0; k < count; k++) {
      const int64_t at = r * count + k;
      int64_t below = nan, above = nan;
      double weight = 0;
      if (!is_nan) {
        double rank = ranks->ranks[k];
        if (ranks->is_fraction) rank *= (double)(valid - 1);
        double base = floor(rank);
        weight = rank - base;
        switch (ranks->interpolation) {
          case NORMA_QUANTILE_LOWER: weight = 0; break;
          case NORMA_QUANTILE_HIGHER: base = ceil(rank), weight = 0; break;
          case NORMA_QUANTILE_NEAREST: base = rint(rank), weight = 0; break;
          case NORMA_QUANTILE_MIDPOINT: weight = weight > 0 ? 0.5 : 0; break;
        }
        const int64_t index = (int64_t)base;
        if (sorted) {
          below = INDEX_OF(sorted[index]);
          above = weight > 0 ? INDEX_OF(sorted[index + 1]) : below;
        } else {
          NAME(indices_at)(keys, size, index, weight > 0, spare, &below, &above);
        }
      }
      low[at] = row[below], low_indices[at] = below;
      if (high) high[at] = row[above], high_indices[at] = above;
      if (weights) weights[at] = weight;
    }
  }
}

// Candidates for the first elements of a row, in their original order.
typedef struct {
  K *keys, *indices, *spare;
  int64_t held;
} NAME(candidates);

// Keeps the first `wanted` candidates. Returns the row index of the last of them.
static int64_t NAME(leave)(NAME(candidates) *c, int64_t wanted) {
  int64_t below, equal, last = 0, n = 0;
  NAME(fill_up)(c->keys, c->held);
  const K bound = NAME(key_at)(c->keys, c->held, wanted - 1, c->spare, &below, &equal);
  int64_t same = wanted - below;
  for (int64_t i = 0; i < c->held; i += NAME(lanes)) {
    uint64_t bits = KEY_BITS(LOAD_KEYS(c->keys + i) <= bound);
    for (; bits; bits &= bits - 1) {
      const int64_t at = i + __builtin_ctzll(bits);
      if (c->keys[at] == bound) {
        if (same-- <= 0) continue;
        last = (int64_t)c->indices[at];
      }
      c->keys[n] = c->keys[at], c->indices[n++] = c->indices[at];
    }
  }
  c->held = wanted;
  NAME(fill_up)(c->keys, wanted);
  return last;
}

// Finds the first `wanted` elements of a row, with up to `room` candidates: elements after the last
// candidate so far are skipped, a vector at a time.
static void NAME(find_first)(
    NAME(candidates) *c, const T *row, const norma_order *order, int64_t room) {
  const int64_t size = order->size, wanted = order->wanted;
  const K flip = order->descending ? (K) ~(K)0 : 0;
  NAME(take_keys)(row, room, flip, c->keys);
  for (int64_t i = 0; i < room; i++) c->indices[i] = (K)i;
  c->held = room;
  int64_t last = NAME(leave)(c, wanted);
  T bound = row[last];
  K key = KEY(bound) ^ flip;
  for (int64_t i = room; i < size; i += (int64_t)LANES(T)) {
    uint64_t bits = size - i < 64 ? ((uint64_t)1 << (size - i)) - 1 : ~(uint64_t)0;
    if (i + (int64_t)LANES(T) <= size) {
      // NaN compares false, so it is not skipped.
      const NAME(row) a = LOAD_OF(NAME(row), row + i);
      bits &= ~(order->descending ? ROW_BITS(a <= bound) : ROW_BITS(a >= bound));
      if (LANES(T) < 64) bits &= ((uint64_t)1 << (LANES(T) & 63)) - 1;
    }
    for (; bits; bits &= bits - 1) {
      const int64_t at = i + __builtin_ctzll(bits);
      const K own = KEY(row[at]) ^ flip;
      if (own >= key) continue;
      c->keys[c->held] = own, c->indices[c->held++] = (K)at;
      if (c->held < room) continue;
      last = NAME(leave)(c, wanted);
      bound = row[last], key = KEY(bound) ^ flip;
    }
  }
  if (c->held > wanted) NAME(leave)(c, wanted);
}

static void NAME(first_of_rows)(
    const norma_order *order, const T *x, T *values, int64_t *indices, void *scratch,
    int64_t begin, int64_t end) {
  const int64_t size = order->size, wanted = order->wanted;
  int64_t room = 4 * wanted > 256 ? 4 * wanted : 256;
  if (room > size) room = size;
  K *keys = scratch, *stood = keys + room + NAME(fill), *spare = stood + room;
  for (int64_t r = begin; r < end; r++) {
    const T *row = x + r * size;
    NAME(candidates) c = {keys, stood, spare, 0};
    NAME(find_first)(&c, row, order, room);
    T *to = values + r * wanted;
    int64_t *where = indices + r * wanted;
    if (wanted <= NAME(most_counted)) {
      for (int64_t i = 0; i < wanted; i++) {
        int64_t before = 0;
        for (int64_t j = 0; j < wanted; j += NAME(lanes)) {
          const KV k = LOAD_KEYS(keys + j);
          const uint64_t came =
              i < j ? 0 : i - j < 64 ? ((uint64_t)1 << (i - j)) - 1 : ~(uint64_t)0;
          before += __builtin_popcountll(KEY_BITS(k < keys[i]) | (KEY_BITS(k == keys[i]) & came));
        }
        where[before] = (int64_t)stood[i], to[before] = row[stood[i]];
      }
    } else {
      // After the candidates there is space for both buffers of a sort.
      E *a = (E *)scratch + size + 4096;
      for (int64_t i = 0; i < wanted; i++) a[i] = MAKE(keys[i], stood[i]);
      a = SORT(a, a + wanted, wanted);
      for (int64_t i = 0; i < wanted; i++) {
        where[i] = INDEX_OF(a[i]), to[i] = row[where[i]];
      }
    }
  }
}
