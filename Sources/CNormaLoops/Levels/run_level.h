// Selects the function for the instruction set in use, among those that each_level.h defines.
#pragma once

#include "levels.h"

#if defined(__x86_64__)
#define OF_LEVEL(name) \
  (norma_loops_level() == 2 ? name##_v4 : norma_loops_level() == 1 ? name##_v3 : name##_base)
#else
#define OF_LEVEL(name) name##_base
#endif
