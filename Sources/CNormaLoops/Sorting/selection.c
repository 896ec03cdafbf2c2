#include <math.h>

#include "run_type.h"
#include "sort_elements.h"
#include "sorting.h"
#include "vectors.h"

#define WITH_LEVEL(name) LEVEL(name)  // for a name that is itself a macro
#define NAME(x) WITH_LEVEL(JOIN(x, TYPE))
// For types whose names are macros.
#define VECTOR_OF(type, name) NORMA_VECTOR(type, name, 64)
#define LOAD_OF(vector, p) LOAD(vector, p)

#define TYPED_BODY "selection_body.h"
#define BODY "each_sorted.h"
#include "each_level.h"

void norma_first_of_rows(
    int type, const norma_order *order, const void *x, void *values, int64_t *indices,
    void *scratch, int64_t begin, int64_t end) {
  OF_TYPE(OF_LEVEL, first_of_rows, type, (order, x, values, indices, scratch, begin, end));
}

void norma_select_rows(
    int type, const norma_ranks *ranks, const void *x, void *low, int64_t *low_indices, void *high,
    int64_t *high_indices, double *weights, void *scratch, int64_t begin, int64_t end) {
  OF_TYPE(
      OF_LEVEL, select_rows, type,
      (ranks, x, low, low_indices, high, high_indices, weights, scratch, begin, end));
}
