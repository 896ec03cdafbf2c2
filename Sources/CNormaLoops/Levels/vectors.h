#pragma once
#include <stddef.h>
#include <stdint.h>

// 64-byte vectors on every instruction set: the compiler splits them where registers are narrower,
// so that the order of every sum is the same everywhere.
//
// A type with the suffix u may be unaligned: for loads and stores only, because unaligned local
// variables are slow in debug builds.
#define NORMA_VECTOR(type, name, bytes)                                                  \
  typedef type name __attribute__((vector_size(bytes), may_alias));                      \
  typedef type name##u __attribute__((vector_size(bytes), aligned(sizeof(type)), may_alias))
NORMA_VECTOR(float, f32v, 64);
NORMA_VECTOR(double, f64v, 64);
NORMA_VECTOR(int64_t, i64v, 64);
NORMA_VECTOR(uint64_t, u64v, 64);
NORMA_VECTOR(int32_t, i32v, 64);
NORMA_VECTOR(uint32_t, u32v, 64);
NORMA_VECTOR(uint16_t, u16v, 64);
NORMA_VECTOR(uint8_t, u8v, 64);

// Half and quarter vectors: converted to or from a full one.
NORMA_VECTOR(float, f32h, 32);
NORMA_VECTOR(double, f64q, 32);
NORMA_VECTOR(int32_t, i32h, 32);
NORMA_VECTOR(uint8_t, u8x16, 16);
NORMA_VECTOR(uint8_t, u8x8, 8);

#define LOAD(V, p) (*(const V##u *)(p))
#define STORE(V, p, value) (*(V##u *)(p) = (value))
#define LANES(T) (64 / sizeof(T))
// Lanes of the mask are 0 or -1, like the results of vector comparisons.
#define CHOOSE(V, M, mask, a, b) ((V)(((M)(a) & (M)(mask)) | ((M)(b) & ~(M)(mask))))

// A bit for each of N lanes of such a mask, the first lane in the lowest.
#define BOOLS(N) _Bool __attribute__((ext_vector_type(N)))
#define LANE_BITS(N, mask) \
  ((uint64_t)((union { BOOLS(N) v; unsigned _BitInt(N) bits; }){ \
       .v = __builtin_convertvector(mask, BOOLS(N))}).bits)
