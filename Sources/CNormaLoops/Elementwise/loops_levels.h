#pragma once
#include "loops.h"

// The loops of each instruction set (levels.h), which loops_base.c, loops_v3.c and loops_v4.c hold.

#define LOOPS_OF(level)                                                                    \
  norma_loop norma_find_loop_##level(int operation, int type, unsigned singles);           \
  norma_rows_loop norma_find_rows_loop_##level(int operation, int type, unsigned singles);
LOOPS_OF(base)
LOOPS_OF(v3)
LOOPS_OF(v4)
