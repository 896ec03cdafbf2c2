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
      const T *row = input + map->places[k] * map->inner + start;
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
      const T *only = source + map->places[from] * inner;
      for (int64_t j = 0; j < inner; j++) target[j] = only[j];
    } else if (inner == 1) {
      double sum = 0;
      for (int32_t k = from; k < to; k++) sum += map->weights[k] * (double)source[map->places[k]];
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

// One window of single elements.
static void NAME(max_pool_single)(
    const norma_windows *w, const T *input, const int64_t at[3], T *output, int32_t *place) {
  T best = (T)-INFINITY;
  int32_t best_place = -1;
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
          best_place = (int32_t)x;
          is_first = 0;
        }
      }
    }
  }
  *output = best;
  *place = best_place;
}

// One window of rows of channels: `output` and `places` collect what is largest so far.
static void NAME(max_pool_rows)(
    const norma_windows *w, const T *input, const int64_t at[3], T *restrict output,
    int32_t *restrict places) {
  const int64_t channels = w->channels;
  int is_first = 1;
  for (int64_t a = 0; a < w->lengths[0][at[0]]; a++) {
    const int64_t z = w->first[0][at[0]] + a * w->step[0];
    for (int64_t b = 0; b < w->lengths[1][at[1]]; b++) {
      const int64_t y = z * w->inputs[1] + w->first[1][at[1]] + b * w->step[1];
      int64_t x = y * w->inputs[2] + w->first[2][at[2]];
      for (int64_t c = 0; c < w->lengths[2][at[2]]; c++, x += w->step[2]) {
        const T *restrict row = input + x * channels;
        const int32_t place = (int32_t)x;
        if (is_first) {
          for (int64_t j = 0; j < channels; j++) {
            output[j] = row[j];
            places[j] = place;
          }
          is_first = 0;
        } else {
          for (int64_t j = 0; j < channels; j++) {
            const int keeps = row[j] <= output[j] || (output[j] != output[j] && row[j] == row[j]);
            output[j] = keeps ? output[j] : row[j];
            places[j] = keeps ? places[j] : place;
          }
        }
      }
    }
  }
  if (is_first) {
    for (int64_t j = 0; j < channels; j++) {
      output[j] = (T)-INFINITY;
      places[j] = -1;
    }
  }
}

static void NAME(max_pool)(
    const norma_windows *w, const T *input, T *output, int32_t *places, int64_t begin,
    int64_t end) {
  const int64_t channels = w->channels;
  const int64_t sample = w->inputs[0] * w->inputs[1] * w->inputs[2] * channels;
  int64_t result = begin * w->outputs[0] * w->outputs[1] * w->outputs[2] * channels;
  for (int64_t n = begin; n < end; n++) {
    int64_t at[3];
    for (at[0] = 0; at[0] < w->outputs[0]; at[0]++)
      for (at[1] = 0; at[1] < w->outputs[1]; at[1]++)
        for (at[2] = 0; at[2] < w->outputs[2]; at[2]++) {
          if (channels == 1) {
            NAME(max_pool_single)(w, input + n * sample, at, output + result, places + result);
          } else {
            NAME(max_pool_rows)(w, input + n * sample, at, output + result, places + result);
          }
          result += channels;
        }
  }
}
