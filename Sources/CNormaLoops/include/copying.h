// Copying elements from one memory layout to another.
#pragma once

#include <stddef.h>

#pragma clang assume_nonnull begin

/// Copies elements of `width` bytes (1, 2, 4 or 8) of a box with `rank` axes, in any order of axes.
///
/// Strides are in multiples of `unit` bytes: those of `from` may be 0 (elements repeat) or
/// negative, those of `to` are positive. The two do not overlap. `streamed` stores bypass the
/// caches. At most `threads` threads run.
void norma_copy(
    int rank, const ptrdiff_t *shape, const ptrdiff_t *from_strides, const ptrdiff_t *to_strides,
    ptrdiff_t unit, int width, const void *from, void *to, int streamed, int threads);

#pragma clang assume_nonnull end
