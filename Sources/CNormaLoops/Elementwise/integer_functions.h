#pragma once
#include "loops.h"

// The loop of a function of two integers, for two blocks; NULL if there is none.
norma_loop norma_find_integer_function(int operation, int type);
