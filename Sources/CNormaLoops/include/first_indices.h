// The first index of a value along one axis of dense `[outer, size, inner]`, of the types NORMA_F32
// to NORMA_U8 (loops.h).
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// For each of the chains `begin ..< end` of `outer * inner`, the first index, from `from` up to
/// `to`, of an element that equals the chain's value or is NaN; `size` if there is none.
void norma_first_indices(
    int type, int64_t size, int64_t inner, int64_t from, int64_t to, const void *x,
    const void *values, int64_t *indices, int64_t begin, int64_t end);

#pragma clang assume_nonnull end
