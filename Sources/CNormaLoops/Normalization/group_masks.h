#pragma once
#include <stdint.h>

// Loops over values of which some count.
typedef struct {
  int64_t (*sum)(int64_t n, const float *x, const uint8_t *mask, double *sum);
  double (*squares)(int64_t n, const float *x, const uint8_t *mask, double mean, double count);
  void (*copy)(int64_t n, const float *x, const uint8_t *mask, float *out);
} norma_group_masks;

const norma_group_masks *norma_find_group_masks(void);
