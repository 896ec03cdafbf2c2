// Includes BODY once for each instruction set, with LEVEL(name) adding its suffix to names, and
// REGISTER as the bytes of a register; run_level.h selects the one to run. If all levels in one
// file would compile slowly, each has a file of its own, which defines ONLY_LEVEL.

#if !defined(ONLY_LEVEL) || ONLY_LEVEL == 0
#define LEVEL(name) name##_base
#define REGISTER 16
#include BODY
#undef LEVEL
#undef REGISTER
#endif

#if defined(__x86_64__)
#if !defined(ONLY_LEVEL) || ONLY_LEVEL == 1
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL(name) name##_v3
#define REGISTER 32
#include BODY
#undef LEVEL
#undef REGISTER
#pragma clang attribute pop
#endif
#if !defined(ONLY_LEVEL) || ONLY_LEVEL == 2
// Full 512-bit vectors, which the default tuning of this level would split.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#define LEVEL(name) name##_v4
#define REGISTER 64
#include BODY
#undef LEVEL
#undef REGISTER
#pragma clang attribute pop
#endif
#endif

#undef BODY
