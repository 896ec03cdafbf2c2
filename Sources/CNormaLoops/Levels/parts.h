// Division of counts into parts.
#pragma once
#include <stdint.h>

static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// The number of parts of a given size; the last may be smaller.
static inline int64_t parts(int64_t count, int64_t part) { return (count + part - 1) / part; }
