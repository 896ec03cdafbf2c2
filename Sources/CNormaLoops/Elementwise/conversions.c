#include "loops.h"
#include "run_level.h"
#include "vectors.h"

#pragma clang fp contract(off)

static inline __attribute__((always_inline)) float bits_to_float(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}
static inline __attribute__((always_inline)) uint32_t float_to_bits(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}

static inline __attribute__((always_inline)) float norma_from_f16(uint16_t half) {
  uint32_t rest = (uint32_t)(half & 0x7fff) << 13;
  // The product adds 112 to the exponent and makes subnormal numbers normal.
  uint32_t bits = float_to_bits(bits_to_float(rest) * 0x1p112f);
  bits = (half & 0x7c00) == 0x7c00 ? rest | 0x7f800000 : bits;
  return bits_to_float(bits | (uint32_t)(half & 0x8000) << 16);
}
static inline __attribute__((always_inline)) uint16_t norma_to_f16(float value) {
  uint32_t bits = float_to_bits(value), rest = bits & 0x7fffffff;
  // Adding a half rounds to multiples of 2^-24, the spacing of subnormal results.
  uint32_t small = float_to_bits(bits_to_float(rest) + 0.5f) - 0x3f000000;
  uint32_t normal = (rest + 0xfff + ((rest >> 13) & 1) - (112u << 23)) >> 13;
  uint32_t large = rest > 0x7f800000 ? 0x7e00 : 0x7c00;
  uint32_t half = rest >= 0x47800000 ? large : rest < 0x38800000 ? small : normal;
  return (uint16_t)(half | (bits >> 16 & 0x8000));
}
static inline __attribute__((always_inline)) float norma_from_bf16(uint16_t half) {
  return bits_to_float((uint32_t)half << 16);
}
static inline __attribute__((always_inline)) uint16_t norma_to_bf16(float value) {
  uint32_t bits = float_to_bits(value);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return (uint16_t)(value != value ? bits >> 16 | 0x40 : rounded);
}

#define BODY "conversions_body.h"
#include "each_level.h"

norma_loop norma_find_conversion(int from, int to) {
  return OF_LEVEL(conversions)[from][to];
}

norma_loop norma_find_rounding(int type) {
  return OF_LEVEL(roundings)[type - NORMA_F16];
}
