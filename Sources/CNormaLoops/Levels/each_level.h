// Includes BODY once for each instruction set, with LEVEL(name) naming what belongs to it; levels.h says
// which one runs.

#define LEVEL(name) name##_base
#include BODY
#undef LEVEL

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL(name) name##_v3
#include BODY
#undef LEVEL
#pragma clang attribute pop
// Whole 512-bit vectors, which the default tuning of this level would split.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#define LEVEL(name) name##_v4
#include BODY
#undef LEVEL
#pragma clang attribute pop
#endif

#undef BODY
