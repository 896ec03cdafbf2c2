#pragma once
#include <stddef.h>
#include <stdint.h>

// 64-byte vectors, whatever the instruction set: the compiler splits them where registers are
// narrower, so that the order of every sum is the same everywhere.
#define NORMA_VECTOR(type) __attribute__((vector_size(64), aligned(sizeof(type)), may_alias))
typedef float f32v NORMA_VECTOR(float);
typedef double f64v NORMA_VECTOR(double);
typedef int64_t i64v NORMA_VECTOR(int64_t);
typedef uint64_t u64v NORMA_VECTOR(uint64_t);
typedef int32_t i32v NORMA_VECTOR(int32_t);
typedef uint32_t u32v NORMA_VECTOR(uint32_t);
typedef uint8_t u8v NORMA_VECTOR(uint8_t);
typedef int8_t i8v NORMA_VECTOR(int8_t);

// Half and quarter vectors: what is converted to or from a full one.
typedef float f32h __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t i32h __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint8_t u8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint8_t u8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef uint16_t u16h __attribute__((vector_size(32), aligned(2), may_alias));

#define LOAD(V, p) (*(const V *)(p))
#define STORE(V, p, value) (*(V *)(p) = (value))
#define LANES(T) (64 / sizeof(T))
// mask lanes are 0 or -1, as comparisons of vectors give them.
#define CHOOSE(V, M, mask, a, b) ((V)(((M)(a) & (M)(mask)) | ((M)(b) & ~(M)(mask))))
