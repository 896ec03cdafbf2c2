#include "random.h"

#include "run_level.h"
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

#define BODY "random_body.h"
#include "each_level.h"

const norma_random_loops *norma_find_random_loops(int level) { return AT_LEVEL(level, &loops); }
