// The loops for AVX2, in a file of their own to be compiled beside the others.
#include "levels.h"
#include "loops_levels.h"
#include "vectors.h"

#pragma clang fp contract(off)

#define ONLY_LEVEL 1
#define BODY "loops_body.h"
#include "each_level.h"
