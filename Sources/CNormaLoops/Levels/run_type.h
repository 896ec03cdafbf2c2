// Selects the function for an element type, and calls it with `operands`, in parentheses: void
// pointers become pointers to that type. OF is OF_LEVEL (run_level.h), or ALL_LEVELS for a function
// that is the same on all instruction sets.
#pragma once

#include "loops.h"
#include "run_level.h"

#define ALL_LEVELS(name) name

#define OF_REAL(OF, name, type, operands) \
  ((type) == NORMA_F64 ? OF(name##_f64) operands : OF(name##_f32) operands)

// NORMA_BOOL is in bytes, as NORMA_U8 is.
#define OF_INTEGER(OF, name, type, operands)         \
  ((type) == NORMA_I64   ? OF(name##_i64) operands   \
   : (type) == NORMA_I32 ? OF(name##_i32) operands   \
                         : OF(name##_u8) operands)

#define OF_TYPE(OF, name, type, operands)                \
  ((type) <= NORMA_F64 ? OF_REAL(OF, name, type, operands) \
                       : OF_INTEGER(OF, name, type, operands))

// Elements of 1, 2, 4 or 8 bytes that are only moved.
#define OF_WIDTH(OF, name, width, operands)              \
  ((width) == 1   ? OF(name##_uint8_t) operands          \
   : (width) == 2 ? OF(name##_uint16_t) operands         \
   : (width) == 4 ? OF(name##_uint32_t) operands         \
                  : OF(name##_uint64_t) operands)
