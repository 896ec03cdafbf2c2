#include "sorting.h"

#include <math.h>
#include <string.h>

// A 32-bit key with the place under it is one number, and all of them differ.
typedef struct {
  uint64_t key, place;
} pair;

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(x) JOIN(x, SORTED)

#define SORTED words
#define E uint64_t
#define BYTES 4
#define KEY_BYTE(e, k) (((e) >> (32 + 8 * (k))) & 255)
#define PRECEDES(a, b) ((a) < (b))
#include "sort_body.h"
#undef SORTED
#undef E
#undef BYTES
#undef KEY_BYTE
#undef PRECEDES

#define SORTED pairs
#define E pair
#define BYTES 8
#define KEY_BYTE(e, k) (((e).key >> (8 * (k))) & 255)
#define PRECEDES(a, b) ((a).key < (b).key)
#include "sort_body.h"
#undef SORTED
#undef E
#undef BYTES
#undef KEY_BYTE
#undef PRECEDES
#undef NAME

int64_t norma_sort_scratch(int64_t width, int64_t size) {
  return (size + 4096) * 2 * (width > 4 ? (int64_t)sizeof(pair) : 8);
}

// Keys in the order of the elements, all ones for NaN.
static uint32_t key_f32(float x) {
  if (x != x) return UINT32_MAX;
  uint32_t bits;
  x += 0.0f;  // -0 becomes 0.
  memcpy(&bits, &x, 4);
  return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}
static uint64_t key_f64(double x) {
  if (x != x) return UINT64_MAX;
  uint64_t bits;
  x += 0.0;
  memcpy(&bits, &x, 8);
  return bits ^ ((uint64_t)((int64_t)bits >> 63) | 0x8000000000000000u);
}
static uint64_t key_i64(int64_t x) { return (uint64_t)x ^ 0x8000000000000000u; }
static uint32_t key_i32(int32_t x) { return (uint32_t)x ^ 0x80000000u; }
static uint32_t key_u8(uint8_t x) { return x; }

#define NAME(x) JOIN(x, TYPE)
#define KEY NAME(key)

// Elements of 32 bits.
#define K uint32_t
#define E uint64_t
#define SORT sort_words
#define MAKE(key, place) ((uint64_t)(key) << 32 | (uint64_t)(place))
#define KEY_OF(e) ((uint32_t)((e) >> 32))
#define PLACE_OF(e) ((int64_t)((e) & UINT32_MAX))
#define T float
#define TYPE f32
#define IS_NAN(x) ((x) != (x))
#include "sorting_body.h"
#include "selection_body.h"
#undef IS_NAN
#undef T
#undef TYPE
#define IS_NAN(x) 0
#define T int32_t
#define TYPE i32
#include "sorting_body.h"
#include "selection_body.h"
#undef T
#undef TYPE
#define T uint8_t
#define TYPE u8
#include "sorting_body.h"
#include "selection_body.h"
#undef T
#undef TYPE
#undef IS_NAN
#undef K
#undef E
#undef SORT
#undef MAKE
#undef KEY_OF
#undef PLACE_OF

// Elements of 64 bits.
#define K uint64_t
#define E pair
#define SORT sort_pairs
#define MAKE(key, place) ((pair){(key), (uint64_t)(place)})
#define KEY_OF(e) ((e).key)
#define PLACE_OF(e) ((int64_t)(e).place)
#define T double
#define TYPE f64
#define IS_NAN(x) ((x) != (x))
#include "sorting_body.h"
#include "selection_body.h"
#undef IS_NAN
#undef T
#undef TYPE
#define IS_NAN(x) 0
#define T int64_t
#define TYPE i64
#include "sorting_body.h"
#include "selection_body.h"
