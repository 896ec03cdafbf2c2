#include "group_masks.h"

#include "levels.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define BODY "group_masks_body.h"
#include "each_level.h"

const norma_group_masks *norma_find_group_masks(void) {
#if defined(__x86_64__)
  switch (norma_loops_level()) {
    case 2: return &group_masks_v4;
    case 1: return &group_masks_v3;
  }
#endif
  return &group_masks_base;
}
