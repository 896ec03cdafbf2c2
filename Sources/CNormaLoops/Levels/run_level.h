// Selects the function (or table) for the instruction set in use, among those that each_level.h
// defines.
#pragma once

#include "levels.h"

#if defined(__x86_64__)
#define AT_LEVEL(level, name) \
  ((level) == 2 ? name##_v4 : (level) == 1 ? name##_v3 : name##_base)
#define OF_LEVEL(name) AT_LEVEL(norma_loops_level(), name)
#else
#define AT_LEVEL(level, name) ((void)(level), name##_base)
#define OF_LEVEL(name) name##_base
#endif
