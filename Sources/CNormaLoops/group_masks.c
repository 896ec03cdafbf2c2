#include "group_masks.h"

#include "levels.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define LEVEL(name) name##_base
#include "group_masks_body.h"
#undef LEVEL

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL(name) name##_v3
#include "group_masks_body.h"
#undef LEVEL
#pragma clang attribute pop
// Whole 512-bit vectors, which the default tuning of this level would split.
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,no-prefer-256-bit"))), apply_to = function)
#define LEVEL(name) name##_v4
#include "group_masks_body.h"
#undef LEVEL
#pragma clang attribute pop
#endif

const norma_group_masks *norma_find_group_masks(void) {
#if defined(__x86_64__)
  switch (norma_loops_level()) {
    case 2: return &group_masks_v4;
    case 1: return &group_masks_v3;
  }
#endif
  return &group_masks_base;
}
