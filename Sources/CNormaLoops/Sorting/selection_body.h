// Selection from rows of every element type; included once per instruction set with LEVEL defined.

#define WITH_LEVEL(name) LEVEL(name)  // for a name that is itself a macro
#define NAME(x) WITH_LEVEL(JOIN(x, TYPE))
#define KEY JOIN(key, TYPE)

// Elements of 32 bits.
#define K uint32_t
#define KV u32v
#define LOAD_KEYS(p) LOAD(u32v, p)
#define KEY_BITS(mask) LANE_BITS(16, mask)
#define HIGHEST(k) ((uint32_t)1 << (31 - __builtin_clz(k)))
#define E uint64_t
#define SORT norma_sort_words
#define MAKE(key, index) ((uint64_t)(key) << 32 | (uint64_t)(index))
#define INDEX_OF(e) ((int64_t)((e) & UINT32_MAX))
#define T float
#define TYPE f32
#define V f32v
#define LOAD_ROW(p) LOAD(f32v, p)
#define BITS(mask) LANE_BITS(16, mask)
#define HAS_NAN 1
#include "selection_rows_body.h"
#define T int32_t
#define TYPE i32
#define V i32v
#define LOAD_ROW(p) LOAD(i32v, p)
#define BITS(mask) LANE_BITS(16, mask)
#define HAS_NAN 0
#include "selection_rows_body.h"
#define T uint8_t
#define TYPE u8
#define V u8v
#define LOAD_ROW(p) LOAD(u8v, p)
#define BITS(mask) LANE_BITS(64, mask)
#define HAS_NAN 0
#include "selection_rows_body.h"
#undef K
#undef KV
#undef LOAD_KEYS
#undef KEY_BITS
#undef HIGHEST
#undef E
#undef SORT
#undef MAKE
#undef INDEX_OF

// Elements of 64 bits.
#define K uint64_t
#define KV u64v
#define LOAD_KEYS(p) LOAD(u64v, p)
#define KEY_BITS(mask) LANE_BITS(8, mask)
#define HIGHEST(k) ((uint64_t)1 << (63 - __builtin_clzll(k)))
#define E norma_pair
#define SORT norma_sort_pairs
#define MAKE(key, index) ((norma_pair){(key), (uint64_t)(index)})
#define INDEX_OF(e) ((int64_t)(e).index)
#define T double
#define TYPE f64
#define V f64v
#define LOAD_ROW(p) LOAD(f64v, p)
#define BITS(mask) LANE_BITS(8, mask)
#define HAS_NAN 1
#include "selection_rows_body.h"
#define T int64_t
#define TYPE i64
#define V i64v
#define LOAD_ROW(p) LOAD(i64v, p)
#define BITS(mask) LANE_BITS(8, mask)
#define HAS_NAN 0
#include "selection_rows_body.h"
#undef K
#undef KV
#undef LOAD_KEYS
#undef KEY_BITS
#undef HIGHEST
#undef E
#undef SORT
#undef MAKE
#undef INDEX_OF
#undef KEY
#undef NAME
#undef WITH_LEVEL
