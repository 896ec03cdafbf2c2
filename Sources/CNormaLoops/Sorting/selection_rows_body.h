// Elements of a rank, and the first few in order, without sorting rows; included once for each element
// type T in vectors V with keys K in vectors KV.
//
// Keys stand in memory up to a whole vector, filled up with the largest, which is smaller than nothing.

enum {
  NAME(lanes) = LANES(K),
  NAME(fill) = 64,          // room behind keys for what fills them up
  NAME(most_ranks) = 6,     // more are taken from a sorted row
  NAME(most_counted) = 32,  // so few elements are put in order by counting those before each
  NAME(long_row) = 1024     // keys worth making fewer
};

static void NAME(fill_up)(K *keys, int64_t count) {
  for (int64_t i = count; i % NAME(lanes); i++) keys[i] = (K) ~(K)0;
}

// The keys of a row; those of a descending order are flipped.
static void NAME(take_keys)(const T *row, int64_t size, K flip, K *keys) {
  for (int64_t i = 0; i < size; i++) keys[i] = KEY(row[i]) ^ flip;
  NAME(fill_up)(keys, size);
}

static int64_t NAME(count_smaller)(const K *keys, int64_t size, K key) {
  KV count = {0};
  for (int64_t i = 0; i < size; i += NAME(lanes)) count -= (KV)(LOAD_KEYS(keys + i) < key);
  return (int64_t)__builtin_reduce_add(count);
}

// The smallest key that is not smaller.
static K NAME(next_key)(const K *keys, int64_t size, K key) {
  KV next = ~(KV){0};
  for (int64_t i = 0; i < size; i += NAME(lanes)) {
    const KV k = LOAD_KEYS(keys + i);
    next = CHOOSE(KV, KV, (k >= key) & (k < next), k, next);
  }
  return __builtin_reduce_min(next);
}

// How many keys are smaller than each of three.
static void NAME(count_three)(const K *keys, int64_t size, const K *bounds, int64_t *counts) {
  KV a = {0}, b = {0}, c = {0};
  for (int64_t i = 0; i < size; i += NAME(lanes)) {
    const KV k = LOAD_KEYS(keys + i);
    a -= (KV)(k < bounds[0]), b -= (KV)(k < bounds[1]), c -= (KV)(k < bounds[2]);
  }
  counts[0] = (int64_t)__builtin_reduce_add(a), counts[1] = (int64_t)__builtin_reduce_add(b);
  counts[2] = (int64_t)__builtin_reduce_add(c);
}

// The key of a rank. Two bits at a time, from the highest in which keys differ, it grows to the largest
// number than which no more than `rank` keys are smaller, until one key alone fits. Of long rows, those
// that may still be it are copied to `spare`. `below` keys are smaller, `equal` ones are this one.
static K NAME(key_at)(
    const K *keys, int64_t size, int64_t rank, K *spare, int64_t *below, int64_t *equal) {
  K some = 0, every = (K) ~(K)0;
  for (int64_t i = 0; i < size; i++) some |= keys[i], every &= keys[i];
  K key = every, open = some ^ every;
  int64_t smaller = 0, upto = size, gone = 0;  // than the key; up to and with those that fit; left out
  while (open && upto - smaller > 1) {
    const K high = HIGHEST(open);
    open ^= high;
    const K low = open ? HIGHEST(open) : 0;
    open ^= low;
    const K bounds[3] = {key | low, key | high, key | high | low};
    int64_t counts[3];
    NAME(count_three)(keys, size, bounds, counts);
    for (int b = 0; b < 3; b++) {
      const int64_t count = gone + counts[b];
      if (count > rank) {
        upto = count;
        break;
      }
      key = bounds[b], smaller = count;
    }
    if (size < NAME(long_row) || 4 * (upto - smaller) > size) continue;
    int64_t n = 0;
    for (int64_t i = 0; i < size; i += NAME(lanes)) {
      uint64_t bits = KEY_BITS((LOAD_KEYS(keys + i) & ~open) == key);
      for (; bits; bits &= bits - 1) spare[n++] = keys[i + __builtin_ctzll(bits)];
    }
    NAME(fill_up)(spare, n);
    keys = spare, size = n, gone = smaller;
  }
  *below = smaller, *equal = upto - smaller;
  return open ? NAME(next_key)(keys, size, key) : key;
}

// The place of the `number`-th of equal keys.
static int64_t NAME(place_of)(const K *keys, K key, int64_t number) {
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

// Where the elements of a rank and of the next one stand.
static void NAME(places_at)(
    const K *keys, int64_t size, int64_t rank, int wants_next, K *spare, int64_t *low,
    int64_t *high) {
  int64_t below, equal;
  const K key = NAME(key_at)(keys, size, rank, spare, &below, &equal);
  *low = *high = NAME(place_of)(keys, key, rank - below);
  if (!wants_next) return;
  if (rank + 1 < below + equal) {
    *high = NAME(place_of)(keys, key, rank + 1 - below);
  } else {
    *high = NAME(place_of)(keys, NAME(next_key)(keys, size, key + 1), 0);
  }
}

static void NAME(select_rows)(
    const norma_ranks *ranks, const T *x, T *low, int64_t *low_places, T *high,
    int64_t *high_places, double *weights, void *scratch, int64_t begin, int64_t end) {
  const int64_t size = ranks->size, count = ranks->count;
  K *keys = scratch, *spare = keys + size + NAME(fill);
  for (int64_t r = begin; r < end; r++) {
    const T *row = x + r * size;
    NAME(take_keys)(row, size, 0, keys);
    int64_t valid = size, nan = 0;
    if (HAS_NAN && ranks->nan_rule != NORMA_NAN_LAST) {
      const K missing = (K) ~(K)0;
      valid = NAME(count_smaller)(keys, size, missing);
      if (valid < size) nan = NAME(place_of)(keys, missing, 0);
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
        const int64_t place = (int64_t)base;
        if (sorted) {
          below = PLACE_OF(sorted[place]);
          above = weight > 0 ? PLACE_OF(sorted[place + 1]) : below;
        } else {
          NAME(places_at)(keys, size, place, weight > 0, spare, &below, &above);
        }
      }
      low[at] = row[below], low_places[at] = below;
      if (high) high[at] = row[above], high_places[at] = above;
      if (weights) weights[at] = weight;
    }
  }
}

// Candidates for the first of a row, as they came.
typedef struct {
  K *keys, *places, *spare;
  int64_t held;
} NAME(candidates);

// Leaves the first `wanted` of them. Returns the place in the row of the last of these.
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
        last = (int64_t)c->places[at];
      }
      c->keys[n] = c->keys[at], c->places[n++] = c->places[at];
    }
  }
  c->held = wanted;
  NAME(fill_up)(c->keys, wanted);
  return last;
}

// Finds the first `wanted` of a row, of up to `room` candidates: those behind the last of the first so
// far are passed over, a vector at a time.
static void NAME(find_first)(
    NAME(candidates) *c, const T *row, const norma_order *order, int64_t room) {
  const int64_t size = order->size, wanted = order->wanted;
  const K flip = order->descending ? (K) ~(K)0 : 0;
  NAME(take_keys)(row, room, flip, c->keys);
  for (int64_t i = 0; i < room; i++) c->places[i] = (K)i;
  c->held = room;
  int64_t last = NAME(leave)(c, wanted);
  T bound = row[last];
  K key = KEY(bound) ^ flip;
  for (int64_t i = room; i < size; i += (int64_t)LANES(T)) {
    uint64_t bits = size - i < 64 ? ((uint64_t)1 << (size - i)) - 1 : ~(uint64_t)0;
    if (i + (int64_t)LANES(T) <= size) {
      // NaN is neither, so it is looked at.
      const V a = LOAD_ROW(row + i);
      bits &= ~(order->descending ? BITS(a <= bound) : BITS(a >= bound));
      if (LANES(T) < 64) bits &= ((uint64_t)1 << (LANES(T) & 63)) - 1;
    }
    for (; bits; bits &= bits - 1) {
      const int64_t at = i + __builtin_ctzll(bits);
      const K own = KEY(row[at]) ^ flip;
      if (own >= key) continue;
      c->keys[c->held] = own, c->places[c->held++] = (K)at;
      if (c->held < room) continue;
      last = NAME(leave)(c, wanted);
      bound = row[last], key = KEY(bound) ^ flip;
    }
  }
  if (c->held > wanted) NAME(leave)(c, wanted);
}

static void NAME(first_of_rows)(
    const norma_order *order, const T *x, T *values, int64_t *places, void *scratch,
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
    int64_t *where = places + r * wanted;
    if (wanted <= NAME(most_counted)) {
      for (int64_t i = 0; i < wanted; i++) {
        int64_t before = 0;
        for (int64_t j = 0; j < wanted; j += NAME(lanes)) {
          const KV k = LOAD_KEYS(keys + j);
          const uint64_t came = i < j ? 0 : i - j < 64 ? ((uint64_t)1 << (i - j)) - 1 : ~(uint64_t)0;
          before += __builtin_popcountll(KEY_BITS(k < keys[i]) | (KEY_BITS(k == keys[i]) & came));
        }
        where[before] = (int64_t)stood[i], to[before] = row[stood[i]];
      }
    } else {
      // Behind the candidates there is room for both sides of a sort.
      E *a = (E *)scratch + size + 4096;
      for (int64_t i = 0; i < wanted; i++) a[i] = MAKE(keys[i], stood[i]);
      a = SORT(a, a + wanted, wanted);
      for (int64_t i = 0; i < wanted; i++) {
        where[i] = PLACE_OF(a[i]), to[i] = row[where[i]];
      }
    }
  }
}

#undef T
#undef TYPE
#undef V
#undef LOAD_ROW
#undef BITS
#undef HAS_NAN
