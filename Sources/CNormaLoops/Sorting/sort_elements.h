// The sorted elements: a key in the order of the values, with the original index.
//
// Keys are integers: all ones for NaN of either sign, and equal for both zeros.
#pragma once

#include <stdint.h>
#include <string.h>

// A 32-bit key with the index below it is one number, and all of them differ.
typedef struct {
  uint64_t key, index;
} norma_pair;

// Stable sorts; both leave the result in a or in b, which have space for n elements, and return
// which.
uint64_t *norma_sort_words(uint64_t *a, uint64_t *b, int64_t n);
norma_pair *norma_sort_pairs(norma_pair *a, norma_pair *b, int64_t n);

// The element type with the suffix TYPE, and the key of such an element (each_sorted.h).
typedef float T_f32;
typedef double T_f64;
typedef int64_t T_i64;
typedef int32_t T_i32;
typedef uint8_t T_u8;
#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define T JOIN(T, TYPE)
#define KEY JOIN(key, TYPE)

static inline uint32_t key_f32(float x) {
  if (x != x) return UINT32_MAX;
  uint32_t bits;
  x += 0.0f;  // -0 becomes 0.
  memcpy(&bits, &x, 4);
  return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}
static inline uint64_t key_f64(double x) {
  if (x != x) return UINT64_MAX;
  uint64_t bits;
  x += 0.0;
  memcpy(&bits, &x, 8);
  return bits ^ ((uint64_t)((int64_t)bits >> 63) | 0x8000000000000000u);
}
static inline uint64_t key_i64(int64_t x) { return (uint64_t)x ^ 0x8000000000000000u; }
static inline uint32_t key_i32(int32_t x) { return (uint32_t)x ^ 0x80000000u; }
static inline uint32_t key_u8(uint8_t x) { return x; }
