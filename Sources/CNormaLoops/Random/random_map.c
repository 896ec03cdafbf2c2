#include <math.h>

#include "random.h"

#pragma clang fp contract(off)

void norma_random_normal64(double *values, size_t groups, double mean, double std) {
  for (double *end = values + 16 * groups; values < end; values += 16) {
    for (int i = 0; i < 8; i++) {
      double radius = sqrt(-2 * log(1 - values[i])), angle = 6.283185307179586 * values[i + 8];
      values[i] = fma(radius * cos(angle), std, mean);
      values[i + 8] = fma(radius * sin(angle), std, mean);
    }
  }
}

void norma_random_pairs(double *values, size_t pairs) {
  for (double *end = values + 2 * pairs; values < end; values += 2) {
    double radius = sqrt(-2 * log1p(-values[1])), angle = 6.283185307179586 * values[0];
    values[0] = radius * cos(angle);
    values[1] = radius * sin(angle);
  }
}

void norma_random_affine(double *values, size_t count, double scale, double offset) {
  for (size_t i = 0; i < count; i++) values[i] = fma(values[i], scale, offset);
}

void norma_random_exponential(double *values, size_t count, double rate) {
  for (size_t i = 0; i < count; i++) values[i] = -1 / rate * log1p(-values[i]);
}

void norma_random_geometric(double *values, size_t count, double p) {
  for (size_t i = 0; i < count; i++) values[i] = ceil(log(values[i]) / log1p(-p));
}

void norma_random_cauchy(double *values, size_t count, double median, double sigma) {
  const double pi = 3.141592653589793;
  for (size_t i = 0; i < count; i++) values[i] = fma(sigma, tan(pi * (values[i] - 0.5)), median);
}

void norma_random_exp(double *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = exp(values[i]);
}

void norma_random_integers32(
    const uint32_t *tempered, int64_t *out, size_t count, uint32_t range, int64_t low) {
  for (size_t i = 0; i < count; i++) out[i] = (int64_t)((uint64_t)low + tempered[i] % range);
}

void norma_random_integers64(
    const uint32_t *tempered, int64_t *out, size_t count, uint64_t range, int64_t low) {
  for (size_t i = 0; i < count; i++) {
    uint64_t word = (uint64_t)tempered[2 * i] << 32 | tempered[2 * i + 1];
    out[i] = (int64_t)((uint64_t)low + (range ? word % range : word));
  }
}

void norma_random_shuffle(
    const uint32_t *tempered, int64_t *values, size_t first, size_t count, size_t total) {
  for (size_t i = first; i < first + count; i++) {
    size_t other = i + tempered[i - first] % (total - i);
    int64_t kept = values[i];
    values[i] = values[other];
    values[other] = kept;
  }
}

void norma_random_grow(
    const uint32_t *tempered, int64_t *values, size_t first, size_t count) {
  for (size_t i = first; i < first + count; i++, tempered += 2) {
    size_t other = ((uint64_t)tempered[0] << 32 | tempered[1]) % (i + 1);
    values[i] = (int64_t)i;
    values[i] = values[other];
    values[other] = (int64_t)i;
  }
}

void norma_random_below32(
    const float *units, const float *probabilities, size_t stride, uint8_t *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = units[i] < probabilities[i * stride];
}

void norma_random_below64(
    const double *units, const double *probabilities, size_t stride, uint8_t *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = units[i] < probabilities[i * stride];
}

void norma_random_replace16(uint16_t *values, size_t count, uint16_t old, uint16_t fresh) {
  uint16_t mask = old & 0x7fff ? 0xffff : 0x7fff;  // Zeros are compared without their sign.
  for (size_t i = 0; i < count; i++) {
    if ((values[i] & mask) == (old & mask)) values[i] = fresh;
  }
}
