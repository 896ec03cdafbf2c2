#include "integer_functions.h"
#include "loops_levels.h"
#include "run_level.h"
#include "vector_math.h"

static norma_loop find_function(int operation, int type) {
  const norma_math_entry *e = &norma_math_table(norma_loops_level())[operation - NORMA_EXP];
  return type == NORMA_F32 ? e->f32 : e->f64;
}

norma_loop norma_find_loop(int operation, int type, unsigned singles) {
  const int is_real = type == NORMA_F32 || type == NORMA_F64;
  if (operation >= NORMA_EXP && operation <= (is_real ? NORMA_EXP2_SHARE : NORMA_GCD)) {
    if (singles) return NULL;
    return is_real ? find_function(operation, type) : norma_find_integer_function(operation, type);
  }
  return OF_LEVEL(norma_find_loop)(operation, type, singles);
}

norma_rows_loop norma_find_rows_loop(int operation, int type, unsigned singles) {
  return OF_LEVEL(norma_find_rows_loop)(operation, type, singles);
}

void norma_run_rows(
    norma_loop loop, size_t rows, size_t n, const void **operands, const ptrdiff_t *pitches,
    int count, void *out, ptrdiff_t out_pitch) {
  char *to = out;
  for (size_t row = 0; row < rows; row++, to += out_pitch) {
    loop(n, operands, to);
    for (int k = 0; k < count; k++) operands[k] = (const char *)operands[k] + pitches[k];
  }
}
