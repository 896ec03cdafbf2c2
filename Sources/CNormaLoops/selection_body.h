// Single elements of a row in order; included once for each element type T with keys K.

enum { NAME(digit) = 11, NAME(longest_sorted) = 512, NAME(most_ranks) = 6 };

// The key of a rank: the row is counted digit by digit from the highest, and each digit tells in
// which part of it the rank lies. What is left is copied as soon as it fits. `below` is how many
// keys are smaller, `equal` how many are this one.
static K NAME(key_at)(
    const T *row, int64_t size, int64_t rank, K *spare, int64_t room, int64_t *below,
    int64_t *equal) {
  int64_t counts[1 << NAME(digit)];
  const int bits = (int)sizeof(K) * 8;
  K prefix = 0;
  int64_t left = size, smaller = 0;
  int copied = 0;
  for (int known = 0; known < bits;) {
    const int width = bits - known < NAME(digit) ? bits - known : NAME(digit);
    const int shift = bits - known - width;
    const K mask = ((K)1 << width) - 1;
    memset(counts, 0, sizeof counts);
    if (copied) {
      for (int64_t i = 0; i < left; i++) counts[(spare[i] >> shift) & mask]++;
    } else if (known == 0) {
      for (int64_t i = 0; i < size; i++) counts[KEY(row[i]) >> shift]++;
    } else {
      for (int64_t i = 0; i < size; i++) {
        const K key = KEY(row[i]);
        if (key >> (shift + width) == prefix) counts[(key >> shift) & mask]++;
      }
    }
    K found = 0;
    while (smaller + counts[found] <= rank) smaller += counts[found++];
    const int64_t more = counts[found];
    prefix = (K)(known == 0 ? found : prefix << width | found);
    known += width;
    if (shift > 0 && more <= room) {
      int64_t n = 0;
      for (int64_t i = 0, end = copied ? left : size; i < end; i++) {
        const K key = copied ? spare[i] : KEY(row[i]);
        if (key >> shift == prefix) spare[n++] = key;
      }
      copied = 1;
    }
    left = more;
  }
  *below = smaller, *equal = left;
  return prefix;
}

// The place of the `number`-th element with a key.
static int64_t NAME(place_of)(const T *row, K key, int64_t number) {
  int64_t i = 0;
  for (;; i++) {
    if (KEY(row[i]) == key && number-- == 0) return i;
  }
}

// Where the elements of a rank and of the next one stand.
static void NAME(places_at)(
    const T *row, int64_t size, int64_t rank, int wants_next, void *scratch, int64_t *low,
    int64_t *high) {
  int64_t below, equal;
  const K key = NAME(key_at)(row, size, rank, scratch, size / 2, &below, &equal);
  *low = NAME(place_of)(row, key, rank - below);
  if (!wants_next) {
    *high = *low;
  } else if (rank + 1 < below + equal) {
    *high = NAME(place_of)(row, key, rank + 1 - below);
  } else {
    K next = (K)~(K)0;
    for (int64_t i = 0; i < size; i++) {
      const K other = KEY(row[i]);
      next = other > key && other < next ? other : next;
    }
    *high = NAME(place_of)(row, next, 0);
  }
}

void NAME(norma_select_rows)(
    const norma_ranks *ranks, const T *x, T *low, int64_t *low_places, T *high,
    int64_t *high_places, double *weights, void *scratch, int64_t begin, int64_t end) {
  const int64_t size = ranks->size, count = ranks->count;
  for (int64_t r = begin; r < end; r++) {
    const T *row = x + r * size;
    int64_t valid = size, nan = 0;
    if (ranks->nan_rule != NORMA_NAN_LAST) {
      for (int64_t i = size - 1; i >= 0; i--) {
        if (IS_NAN(row[i])) nan = i, valid--;
      }
    }
    const int is_nan = ranks->nan_rule == NORMA_NAN_WINS ? valid < size : valid == 0;
    E *sorted = NULL;
    if (!is_nan && (size <= NAME(longest_sorted) || count > NAME(most_ranks))) {
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
          NAME(places_at)(row, size, place, weight > 0, scratch, &below, &above);
        }
      }
      low[at] = row[below], low_places[at] = below;
      if (high) high[at] = row[above], high_places[at] = above;
      if (weights) weights[at] = weight;
    }
  }
}
