#pragma once

#include <stddef.h>

// Elementwise transcendental functions of one or two operands: operands[0] and, for two,
// operands[1] hold n inputs; out receives n results and may be an operand.
typedef void (*norma_math_loop)(size_t n, const void *const *operands, void *out);

typedef struct {
  const char *name;
  norma_math_loop f32;
  norma_math_loop f64;
  int operand_count;
} norma_math_entry;

// 0 is the baseline, 1 x86-64-v3 and 2 x86-64-v4.
#define NORMA_MATH_LEVELS 3

// The functions of a level, in the order of the operations from NORMA_EXP on (loops.h), terminated
// by an entry without a name; NULL if this processor does not support it.
const norma_math_entry *norma_math_table(int level);
