// Inner loops of random numbers: the words of MT19937 and the numbers PyTorch makes of them on a
// CPU.
//
// "Words" are untempered: the recurrence runs on them, and every loop that reads them tempers them.
// Results are the same bits at every level of levels.h.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define NORMA_RANDOM_BLOCK 624  // Words of one state of the generator.

/// The loops that benefit from wide registers, compiled for one instruction set.
typedef struct norma_random_loops {
  /// Continues the recurrence: words[0 ..< 624] are known, 624 * blocks more follow them.
  void (*_Nonnull extend)(uint32_t *_Nonnull words, size_t blocks);
  /// Tempered words; `out` may be `words`.
  void (*_Nonnull temper)(const uint32_t *_Nonnull words, uint32_t *_Nonnull out, size_t count);
  /// Numbers in 0 ..< 1 from the low 24 bits of one word each.
  void (*_Nonnull unit32)(const uint32_t *_Nonnull words, float *_Nonnull out, size_t count);
  /// Numbers in 0 ..< 1 from the low 53 bits of two words each, the first word being the high half.
  void (*_Nonnull unit64)(const uint32_t *_Nonnull words, double *_Nonnull out, size_t count);
  /// From 0 ..< 1 to from ..< to in one rounding; a value that rounds to `to` becomes `from`.
  void (*_Nonnull scale32)(float *_Nonnull values, size_t count, float from, float to);
  void (*_Nonnull scale64)(double *_Nonnull values, size_t count, double from, double to);
  /// Box-Muller on groups of 16 numbers in 0 ..< 1, in place: 8 radii, then 8 angles.
  void (*_Nonnull normal32)(float *_Nonnull values, size_t groups, float mean, float std);
} norma_random_loops;

/// The loops for a level of levels.h.
const norma_random_loops *_Nonnull norma_find_random_loops(int level);

/// `normal32` in double precision, on libm.
void norma_random_normal64(double *_Nonnull values, size_t groups, double mean, double std);
/// Box-Muller on pairs of numbers in 0 ..< 1, in place: an angle, then a radius.
void norma_random_pairs(double *_Nonnull values, size_t pairs);

/// value * scale + offset in one rounding.
void norma_random_affine(double *_Nonnull values, size_t count, double scale, double offset);
/// Numbers in 0 ..< 1 become exponential, geometric or Cauchy, in place.
void norma_random_exponential(double *_Nonnull values, size_t count, double rate);
void norma_random_geometric(double *_Nonnull values, size_t count, double p);
void norma_random_cauchy(double *_Nonnull values, size_t count, double median, double sigma);
void norma_random_exp(double *_Nonnull values, size_t count);

/// low + word % range, from one tempered word or two (the first is the high half). A range of 0
/// means 2^64.
void norma_random_integers32(
    const uint32_t *_Nonnull tempered, int64_t *_Nonnull out, size_t count, uint32_t range,
    int64_t low);
void norma_random_integers64(
    const uint32_t *_Nonnull tempered, int64_t *_Nonnull out, size_t count, uint64_t range,
    int64_t low);

/// Swaps values[i] with values[i + word % (total - i)], for the next `count` values of i.
void norma_random_shuffle(
    const uint32_t *_Nonnull tempered, int64_t *_Nonnull values, size_t first, size_t count,
    size_t total);
/// Extends a permutation from `first` to first + count values, with two tempered words each.
void norma_random_grow(
    const uint32_t *_Nonnull tempered, int64_t *_Nonnull values, size_t first, size_t count);

/// 1 where units[i] < probabilities[i], else 0; with `stride` 0 all share the first probability.
void norma_random_below32(
    const float *_Nonnull units, const float *_Nonnull probabilities, size_t stride,
    uint8_t *_Nonnull out, size_t count);
void norma_random_below64(
    const double *_Nonnull units, const double *_Nonnull probabilities, size_t stride,
    uint8_t *_Nonnull out, size_t count);

/// Replaces the 16-bit numbers that equal `old` by `fresh`; the two zeros are equal.
void norma_random_replace16(uint16_t *_Nonnull values, size_t count, uint16_t old, uint16_t fresh);
