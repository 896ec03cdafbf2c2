#include "random.h"

#include "vectors.h"

// One body, compiled for each instruction set. Every fused multiply-add is written out and the
// compiler may add none: all levels give the same bits.
#pragma clang fp contract(off)

#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)

// Works on a word and on a vector of words.
#define TEMPER(y)              \
  do {                         \
    y ^= y >> 11;              \
    y ^= y << 7 & 0x9d2c5680u; \
    y ^= y << 15 & 0xefc60000u; \
    y ^= y >> 18;              \
  } while (0)

#define LEVEL(name) name##_base
#include "random_body.h"
#undef LEVEL

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL(name) name##_v3
#include "random_body.h"
#undef LEVEL
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define LEVEL(name) name##_v4
#include "random_body.h"
#undef LEVEL
#pragma clang attribute pop
#endif

const norma_random_loops *norma_find_random_loops(int level) {
#if defined(__x86_64__)
  switch (level) {
    case 2: return &loops_v4;
    case 1: return &loops_v3;
  }
#endif
  return &loops_base;
}
