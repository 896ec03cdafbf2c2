// Includes TYPED_BODY once for each element type T with keys K in elements E: once for all
// instruction sets, or as a BODY for each_level.h, where NAME is defined accordingly.

// Elements of 32 bits.
#define K uint32_t
#define E uint64_t
#define SORT norma_sort_words
#define MAKE(key, index) ((uint64_t)(key) << 32 | (uint64_t)(index))
#define KEY_OF(e) ((uint32_t)((e) >> 32))
#define INDEX_OF(e) ((int64_t)((e) & UINT32_MAX))
#define TYPE f32
#include TYPED_BODY
#undef TYPE
#define TYPE i32
#include TYPED_BODY
#undef TYPE
#define TYPE u8
#include TYPED_BODY
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
#define TYPE f64
#include TYPED_BODY
#undef TYPE
#define TYPE i64
#include TYPED_BODY
#undef TYPE
#undef K
#undef E
#undef SORT
#undef MAKE
#undef KEY_OF
#undef INDEX_OF
