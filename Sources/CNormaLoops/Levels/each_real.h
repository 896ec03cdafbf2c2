// Includes TYPED_BODY for both real types T, with NAME(x) adding their suffix and that of the
// instruction set to names: a BODY for each_level.h.

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define WITH_LEVEL(name) LEVEL(name)
#define NAME(x) WITH_LEVEL(JOIN(x, TYPE))

#define T float
#define TYPE f32
#include TYPED_BODY
#undef T
#undef TYPE
#define T double
#define TYPE f64
#include TYPED_BODY
#undef T
#undef TYPE
