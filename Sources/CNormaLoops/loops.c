#include "loops.h"

#include "levels.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define LEVEL(name) name##_base
#include "loops_body.h"
#undef LEVEL

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL(name) name##_v3
#include "loops_body.h"
#undef LEVEL
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define LEVEL(name) name##_v4
#include "loops_body.h"
#undef LEVEL
#pragma clang attribute pop
#endif

norma_loop norma_find_loop(int operation, int type, unsigned singles) {
#if defined(__x86_64__)
  switch (norma_loops_level()) {
    case 2: return find_v4(operation, type, singles);
    case 1: return find_v3(operation, type, singles);
  }
#endif
  return find_base(operation, type, singles);
}
