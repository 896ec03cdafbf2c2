#include "sorting.h"

#include <string.h>

#include "sort_elements.h"

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
#define E norma_pair
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
  return (size + 4096) * 2 * (width > 4 ? (int64_t)sizeof(norma_pair) : 8);
}

#define NAME(x) JOIN(x, TYPE)
#define KEY NAME(key)

// Elements of 32 bits.
#define K uint32_t
#define E uint64_t
#define SORT norma_sort_words
#define MAKE(key, index) ((uint64_t)(key) << 32 | (uint64_t)(index))
#define KEY_OF(e) ((uint32_t)((e) >> 32))
#define INDEX_OF(e) ((int64_t)((e) & UINT32_MAX))
#define T float
#define TYPE f32
#include "sorting_body.h"
#undef T
#undef TYPE
#define T int32_t
#define TYPE i32
#include "sorting_body.h"
#undef T
#undef TYPE
#define T uint8_t
#define TYPE u8
#include "sorting_body.h"
#undef T
#undef TYPE
#undef K
#undef E
#undef SORT
#undef MAKE
#undef KEY_OF
#undef INDEX_OF

// Elements of 64 bits.
#define K uint64_t
#define E norma_pair
#define SORT norma_sort_pairs
#define MAKE(key, index) ((norma_pair){(key), (uint64_t)(index)})
#define KEY_OF(e) ((e).key)
#define INDEX_OF(e) ((int64_t)(e).index)
#define T double
#define TYPE f64
#include "sorting_body.h"
#undef T
#undef TYPE
#define T int64_t
#define TYPE i64
#include "sorting_body.h"
