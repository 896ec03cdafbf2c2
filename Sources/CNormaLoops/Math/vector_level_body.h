// All functions of a level; included once per instruction set with LEVEL defined.

// The number of elements at a time: several registers, whose latencies overlap. What does not fit
// into the registers of a level is kept on the stack, which costs less.
#define MATH_LANES REGISTER

#include "vector_math_body.h"
#include "wide_math_body.h"
#include "wide_gamma_body.h"
#include "wide_bessel_body.h"
#include "wide_pairs_body.h"
#include "vector_tables_body.h"
#include "vector_exp_body.h"
#include "vector_trigonometry_body.h"
#include "vector_tanh_body.h"
#include "vector_inverses_body.h"
#include "vector_errors_body.h"
#include "vector_gelu_body.h"
#include "vector_logarithms_body.h"
