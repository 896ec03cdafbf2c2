// Included once for each level and element type T.

enum { NAME(chunk) = 256 };

static void NAME(axis_map_row)(
    const norma_axis_map *map, const T *input, T *output, int32_t from, int32_t to) {
  double sums[NAME(chunk)];
  for (int64_t start = 0; start < map->inner; start += NAME(chunk)) {
    const int64_t left = map->inner - start;
    const int64_t length = left < NAME(chunk) ? left : NAME(chunk);
    for (int64_t j = 0; j < length; j++) sums[j] = 0;
    for (int32_t k = from; k < to; k++) {
      const T *row = input + map->indices[k] * map->inner + start;
      const double weight = map->weights[k];
      for (int64_t j = 0; j < length; j++) sums[j] += weight * (double)row[j];
    }
    for (int64_t j = 0; j < length; j++) output[start + j] = (T)sums[j];
  }
}

static void NAME(axis_map)(
    const norma_axis_map *map, const T *input, T *output, int64_t begin, int64_t end) {
  const int64_t inner = map->inner;
  int64_t sample = begin / map->outputs, i = begin % map->outputs;
  for (int64_t row = begin; row < end; row++) {
    const T *source = input + sample * map->inputs * inner;
    T *target = output + row * inner;
    const int32_t from = map->first[i], to = map->first[i + 1];
    if (to - from == 1 && map->weights[from] == 1) {
      const T *only = source + map->indices[from] * inner;
      for (int64_t j = 0; j < inner; j++) target[j] = only[j];
    } else if (inner == 1) {
      double sum = 0;
      for (int32_t k = from; k < to; k++) sum += map->weights[k] * (double)source[map->indices[k]];
      *target = (T)sum;
    } else {
      NAME(axis_map_row)(map, source, target, from, to);
    }
    if (++i == map->outputs) {
      i = 0;
      sample++;
    }
  }
}

// Indices are not written if `notes` is 0, a constant wherever these functions are called.

// One window of single elements.
static inline __attribute__((always_inline)) void NAME(max_pool_single)(
    const norma_windows *w, const T *input, const int64_t at[3], T *output, int32_t *index,
    int notes) {
  T best = (T)-INFINITY;
  int32_t best_index = -1;
  int is_first = 1;
  for (int64_t a = 0; a < w->lengths[0][at[0]]; a++) {
    const int64_t z = w->first[0][at[0]] + a * w->step[0];
    for (int64_t b = 0; b < w->lengths[1][at[1]]; b++) {
      const int64_t y = z * w->inputs[1] + w->first[1][at[1]] + b * w->step[1];
      int64_t x = y * w->inputs[2] + w->first[2][at[2]];
      for (int64_t c = 0; c < w->lengths[2][at[2]]; c++, x += w->step[2]) {
        const T value = input[x];
        const int keeps = value <= best || (best != best && value == value);
        if (is_first || !keeps) {
          best = value;
          best_index = (int32_t)x;
          is_first = 0;
        }
      }
    }
  }
  *output = best;
  if (notes) *index = best_index;
}

// One window of rows of channels: `output` and `indices` hold the largest elements so far.
static inline __attribute__((always_inline)) void NAME(max_pool_rows)(
    const norma_windows *w, const T *input, const int64_t at[3], T *restrict output,
    int32_t *restrict indices, int notes) {
  const int64_t channels = w->channels;
  int is_first = 1;
  for (int64_t a = 0; a < w->lengths[0][at[0]]; a++) {
    const int64_t z = w->first[0][at[0]] + a * w->step[0];
    for (int64_t b = 0; b < w->lengths[1][at[1]]; b++) {
      const int64_t y = z * w->inputs[1] + w->first[1][at[1]] + b * w->step[1];
      int64_t x = y * w->inputs[2] + w->first[2][at[2]];
      for (int64_t c = 0; c < w->lengths[2][at[2]]; c++, x += w->step[2]) {
        const T *restrict row = input + x * channels;
        const int32_t index = (int32_t)x;
        if (is_first) {
          for (int64_t j = 0; j < channels; j++) {
            output[j] = row[j];
            if (notes) indices[j] = index;
          }
          is_first = 0;
        } else {
          for (int64_t j = 0; j < channels; j++) {
            const int keeps = row[j] <= output[j] || (output[j] != output[j] && row[j] == row[j]);
            output[j] = keeps ? output[j] : row[j];
            if (notes) indices[j] = keeps ? indices[j] : index;
          }
        }
      }
    }
  }
  if (is_first) {
    for (int64_t j = 0; j < channels; j++) {
      output[j] = (T)-INFINITY;
      if (notes) indices[j] = -1;
    }
  }
}

// Adjacent windows along the last axis that are complete and begin `stride` apart, processed
// together: each adds its elements in the same order.
static inline __attribute__((always_inline)) void NAME(max_pool_side_by_side)(
    const norma_windows *w, const T *restrict input, const int64_t at[3], int64_t windows,
    int64_t stride, T *restrict output, int32_t *restrict indices, int notes) {
  int is_first = 1;
  const int64_t left = w->first[2][at[2]];
  for (int64_t a = 0; a < w->lengths[0][at[0]]; a++) {
    const int64_t z = w->first[0][at[0]] + a * w->step[0];
    for (int64_t b = 0; b < w->lengths[1][at[1]]; b++) {
      const int64_t y = z * w->inputs[1] + w->first[1][at[1]] + b * w->step[1];
      int64_t x = y * w->inputs[2] + left;
      for (int64_t c = 0; c < w->lengths[2][at[2]]; c++, x += w->step[2]) {
        const T *restrict row = input + x;
        const int32_t index = (int32_t)x, apart = (int32_t)stride;
        if (is_first) {
          for (int32_t j = 0; j < (int32_t)windows; j++) {
            output[j] = row[j * stride];
            if (notes) indices[j] = index + j * apart;
          }
          is_first = 0;
          continue;
        }
        for (int32_t j = 0; j < (int32_t)windows; j++) {
          const T value = row[j * stride];
          const int keeps = value <= output[j] || (output[j] != output[j] && value == value);
          output[j] = keeps ? output[j] : value;
          if (notes) indices[j] = keeps ? indices[j] : index + j * apart;
        }
      }
    }
  }
  for (int64_t j = 0; is_first && j < windows; j++) {
    output[j] = (T)-INFINITY;
    if (notes) indices[j] = -1;
  }
}

// The windows of a row of outputs with single elements: those in the middle are processed together.
static inline __attribute__((always_inline)) void NAME(max_pool_line)(
    const norma_windows *w, const T *input, int64_t at[3], int64_t middle, int64_t behind,
    T *output, int32_t *indices, int notes) {
  const int64_t stride = behind - middle > 1 ? w->first[2][middle + 1] - w->first[2][middle] : 0;
  for (at[2] = 0; at[2] < w->outputs[2];) {
    T *to = output + at[2];
    int32_t *index = notes ? indices + at[2] : indices;
    if (at[2] != middle || stride == 0) {
      NAME(max_pool_single)(w, input, at, to, index, notes);
      at[2]++;
      continue;
    }
    // A constant stride lets the compiler use vectors.
    const int64_t n = behind - middle;
    if (stride == 1) NAME(max_pool_side_by_side)(w, input, at, n, 1, to, index, notes);
    else if (stride == 2) NAME(max_pool_side_by_side)(w, input, at, n, 2, to, index, notes);
    else if (stride == 3) NAME(max_pool_side_by_side)(w, input, at, n, 3, to, index, notes);
    else NAME(max_pool_side_by_side)(w, input, at, n, stride, to, index, notes);
    at[2] = behind;
  }
}

// The longest run of windows around the middle one with its length and with equal distances.
static void NAME(windows_side_by_side)(const norma_windows *w, int64_t *from, int64_t *to) {
  const int32_t *first = w->first[2], *lengths = w->lengths[2];
  const int64_t middle = w->outputs[2] / 2;
  *from = middle, *to = middle + 1;
  if (w->outputs[2] < 2 || middle + 1 == w->outputs[2]) return;
  const int32_t stride = first[middle + 1] - first[middle];
  while (*to < w->outputs[2] && lengths[*to] == lengths[middle] &&
         first[*to] - first[*to - 1] == stride) {
    ++*to;
  }
  while (*from > 0 && lengths[*from - 1] == lengths[middle] &&
         first[*from] - first[*from - 1] == stride) {
    --*from;
  }
}

static inline __attribute__((always_inline)) void NAME(max_pool_lines)(
    const norma_windows *w, const T *input, T *output, int32_t *indices, int64_t begin,
    int64_t end, int notes) {
  const int64_t channels = w->channels, line = w->outputs[2] * channels;
  const int64_t sample = w->inputs[0] * w->inputs[1] * w->inputs[2] * channels;
  int64_t middle, behind;
  NAME(windows_side_by_side)(w, &middle, &behind);
  for (int64_t i = begin; i < end; i++) {
    const int64_t place = i / w->outputs[1];
    int64_t at[3] = {place % w->outputs[0], i % w->outputs[1], 0};
    const T *from = input + place / w->outputs[0] * sample;
    T *to = output + i * line;
    int32_t *index = notes ? indices + i * line : indices;
    if (channels == 1) {
      NAME(max_pool_line)(w, from, at, middle, behind, to, index, notes);
      continue;
    }
    for (; at[2] < w->outputs[2]; at[2]++, to += channels, index += notes ? channels : 0) {
      NAME(max_pool_rows)(w, from, at, to, index, notes);
    }
  }
}

static void NAME(max_pool)(
    const norma_windows *w, const T *input, T *output, int32_t *indices, int64_t begin,
    int64_t end) {
  if (indices) NAME(max_pool_lines)(w, input, output, indices, begin, end, 1);
  else NAME(max_pool_lines)(w, input, output, indices, begin, end, 0);
}
