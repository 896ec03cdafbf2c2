#include "direct_convolution.h"

#include "run_type.h"

#pragma clang fp contract(off)

typedef struct {
  int64_t from, to;
} Range;

// The results along the last axis for which kernel element `k` is applied to an existing source
// element.
static Range seen(const norma_convolution *s, int64_t k) {
  const int64_t shift = k * s->dilation[2] - s->before[2], step = s->stride[2];
  Range range = {shift < 0 ? (-shift + step - 1) / step : 0, 0};
  const int64_t room = s->source[2] - shift;
  range.to = room <= 0 ? 0 : (room + step - 1) / step;
  if (range.to > s->destination[2]) range.to = s->destination[2];
  return range;
}

// The source element that kernel element `k` is applied to for result `i`, or -1.
static int64_t seen_by(const norma_convolution *s, int axis, int64_t i, int64_t k) {
  const int64_t index = i * s->stride[axis] - s->before[axis] + k * s->dilation[axis];
  return index < s->source[axis] ? index : -1;
}

// The result for which kernel element `k` is applied to source element `index`, or -1.
static int64_t seeing(const norma_convolution *s, int axis, int64_t index, int64_t k) {
  const int64_t steps = index + s->before[axis] - k * s->dilation[axis];
  if (steps < 0 || steps % s->stride[axis]) return -1;
  const int64_t i = steps / s->stride[axis];
  return i < s->destination[axis] ? i : -1;
}

static int64_t area(const int64_t sizes[3]) { return sizes[0] * sizes[1] * sizes[2]; }

#define DEFINE(T, TYPE)                                                                          \
  static void forward_row_##TYPE(                                                                \
      const norma_convolution *s, const T *source, const T *weights, int64_t z, int64_t y,       \
      double *row) {                                                                             \
    for (int64_t i = 0; i < s->inputs; i++, source += area(s->source))                           \
      for (int64_t a = 0; a < s->kernel[0]; a++)                                                 \
        for (int64_t b = 0; b < s->kernel[1]; b++, weights += s->kernel[2]) {                    \
          const int64_t from_z = seen_by(s, 0, z, a), from_y = seen_by(s, 1, y, b);              \
          if (from_z < 0 || from_y < 0) continue;                                                \
          const T *line = source + (from_z * s->source[1] + from_y) * s->source[2];              \
          for (int64_t c = 0; c < s->kernel[2]; c++) {                                           \
            const Range range = seen(s, c);                                                      \
            const T *first = line + c * s->dilation[2] - s->before[2];                           \
            const double weight = (double)weights[c];                                            \
            for (int64_t x = range.from; x < range.to; x++)                                      \
              row[x] += weight * (double)first[x * s->stride[2]];                                \
          }                                                                                      \
        }                                                                                        \
  }                                                                                              \
  static void forward_##TYPE(                                                                    \
      const norma_convolution *s, const T *source, const T *weights, const T *bias,              \
      T *destination, double *row) {                                                             \
    const int64_t outputs = s->groups * s->outputs, inputs = s->groups * s->inputs;              \
    for (int64_t n = 0; n < s->batch; n++)                                                       \
      for (int64_t o = 0; o < outputs; o++) {                                                    \
        const T *planes = source + (n * inputs + o / s->outputs * s->inputs) * area(s->source);  \
        for (int64_t z = 0; z < s->destination[0]; z++)                                          \
          for (int64_t y = 0; y < s->destination[1]; y++) {                                      \
            for (int64_t x = 0; x < s->destination[2]; x++) row[x] = bias ? (double)bias[o] : 0; \
            forward_row_##TYPE(s, planes, weights + o * s->inputs * area(s->kernel), z, y, row); \
            for (int64_t x = 0; x < s->destination[2]; x++) *destination++ = (T)row[x];          \
          }                                                                                      \
      }                                                                                          \
  }                                                                                              \
  static void source_row_##TYPE(                                                                 \
      const norma_convolution *s, const T *weights, const T *destination, int64_t z, int64_t y,  \
      double *row) {                                                                             \
    const int64_t step = s->inputs * area(s->kernel);                                            \
    for (int64_t o = 0; o < s->outputs; o++, weights += step, destination += area(s->destination)) \
      for (int64_t a = 0; a < s->kernel[0]; a++)                                                 \
        for (int64_t b = 0; b < s->kernel[1]; b++) {                                             \
          const int64_t from_z = seeing(s, 0, z, a), from_y = seeing(s, 1, y, b);                \
          if (from_z < 0 || from_y < 0) continue;                                                \
          const T *line = destination + (from_z * s->destination[1] + from_y) * s->destination[2]; \
          for (int64_t c = 0; c < s->kernel[2]; c++) {                                           \
            const Range range = seen(s, c);                                                      \
            double *first = row + c * s->dilation[2] - s->before[2];                             \
            const double weight = (double)weights[(a * s->kernel[1] + b) * s->kernel[2] + c];    \
            for (int64_t x = range.from; x < range.to; x++)                                      \
              first[x * s->stride[2]] += weight * (double)line[x];                               \
          }                                                                                      \
        }                                                                                        \
  }                                                                                              \
  static void source_##TYPE(                                                                     \
      const norma_convolution *s, T *source, const T *weights, const T *destination,             \
      double *row) {                                                                             \
    const int64_t outputs = s->groups * s->outputs, inputs = s->groups * s->inputs;              \
    for (int64_t n = 0; n < s->batch; n++)                                                       \
      for (int64_t i = 0; i < inputs; i++) {                                                     \
        const int64_t first = i / s->inputs * s->outputs;                                        \
        const T *kernels = weights + (first * s->inputs + i % s->inputs) * area(s->kernel);      \
        const T *planes = destination + (n * outputs + first) * area(s->destination);            \
        for (int64_t z = 0; z < s->source[0]; z++)                                               \
          for (int64_t y = 0; y < s->source[1]; y++) {                                           \
            for (int64_t x = 0; x < s->source[2]; x++) row[x] = 0;                               \
            source_row_##TYPE(s, kernels, planes, z, y, row);                                    \
            for (int64_t x = 0; x < s->source[2]; x++) *source++ = (T)row[x];                    \
          }                                                                                      \
      }                                                                                          \
  }                                                                                              \
  static double weight_##TYPE(                                                                   \
      const norma_convolution *s, const T *source, const T *destination, int64_t a, int64_t b,   \
      int64_t c) {                                                                               \
    const Range range = seen(s, c);                                                              \
    double sum = 0;                                                                              \
    for (int64_t z = 0; z < s->destination[0]; z++)                                              \
      for (int64_t y = 0; y < s->destination[1]; y++, destination += s->destination[2]) {        \
        const int64_t from_z = seen_by(s, 0, z, a), from_y = seen_by(s, 1, y, b);                \
        if (from_z < 0 || from_y < 0) continue;                                                  \
        const T *first = source + (from_z * s->source[1] + from_y) * s->source[2]                \
            + c * s->dilation[2] - s->before[2];                                                 \
        for (int64_t x = range.from; x < range.to; x++)                                          \
          sum += (double)destination[x] * (double)first[x * s->stride[2]];                       \
      }                                                                                          \
    return sum;                                                                                  \
  }                                                                                              \
  static void weights_##TYPE(                                                                    \
      const norma_convolution *s, const T *source, T *weights, const T *destination) {           \
    const int64_t outputs = s->groups * s->outputs, inputs = s->groups * s->inputs;              \
    for (int64_t o = 0; o < outputs; o++)                                                        \
      for (int64_t i = 0; i < s->inputs; i++) {                                                  \
        const int64_t plane = o / s->outputs * s->inputs + i;                                    \
        for (int64_t a = 0; a < s->kernel[0]; a++)                                               \
          for (int64_t b = 0; b < s->kernel[1]; b++)                                             \
            for (int64_t c = 0; c < s->kernel[2]; c++) {                                         \
              double sum = 0;                                                                    \
              for (int64_t n = 0; n < s->batch; n++)                                             \
                sum += weight_##TYPE(                                                            \
                    s, source + (n * inputs + plane) * area(s->source),                          \
                    destination + (n * outputs + o) * area(s->destination), a, b, c);            \
              *weights++ = (T)sum;                                                               \
            }                                                                                    \
      }                                                                                          \
  }

DEFINE(float, f32)
DEFINE(double, f64)

void norma_convolution_forward(
    int type, const norma_convolution *shape, const void *source, const void *weights,
    const void *bias, void *destination, double *row) {
  OF_REAL(ALL_LEVELS, forward, type, (shape, source, weights, bias, destination, row));
}

void norma_convolution_source(
    int type, const norma_convolution *shape, void *source, const void *weights,
    const void *destination, double *row) {
  OF_REAL(ALL_LEVELS, source, type, (shape, source, weights, destination, row));
}

void norma_convolution_weights(
    int type, const norma_convolution *shape, const void *source, void *weights,
    const void *destination) {
  OF_REAL(ALL_LEVELS, weights, type, (shape, source, weights, destination));
}
