#pragma once
#include <stddef.h>
#include <stdint.h>

// Inner loops over contiguous blocks: one function per operation and element type, found by
// number. Every loop gives the same bits on every instruction set (levels.h) and for an element
// at any position of a block.

// Element types of blocks. float16 and bfloat16 are computed as floats that are rounded after every
// instruction; int8, int16 and uint16 as int32, and uint32 as int64, keeping the low bits after
// every instruction; bool is 0 or 1 in a byte.
enum norma_type {
  NORMA_F32,
  NORMA_F64,
  NORMA_I64,
  NORMA_I32,
  NORMA_U8,
  NORMA_U64,
  NORMA_TYPE_COUNT,
  // Only in memory and as the target of a conversion:
  NORMA_BOOL = NORMA_TYPE_COUNT,
  NORMA_F16,
  NORMA_BF16,
  NORMA_I8,
  NORMA_I16,
  NORMA_U16,
  NORMA_U32,
  NORMA_STORED_TYPE_COUNT
};

enum norma_operation {
  NORMA_NEGATE,
  NORMA_ABS,
  NORMA_SQRT,
  NORMA_RSQRT,      // for real types, like the next six
  NORMA_FLOOR,
  NORMA_CEIL,
  NORMA_ROUND,      // ties to even
  NORMA_TRUNC,
  NORMA_FRAC,       // the fraction that trunc removes
  NORMA_SIGN,       // 1, 0 or -1; 0 for NaN
  NORMA_SIGN_BIT,   // for real types, to bytes
  // Functions for real types, in the order of vector_math.h: first those of one operand.
  NORMA_EXP,
  NORMA_LOG,
  NORMA_TANH,
  NORMA_ERF,
  NORMA_EXPM1,
  NORMA_LOG1P,
  NORMA_SIGMOID,
  NORMA_SIN,
  NORMA_COS,
  NORMA_TAN,
  NORMA_ASIN,
  NORMA_ACOS,
  NORMA_ATAN,
  NORMA_SINH,
  NORMA_COSH,
  NORMA_ASINH,
  NORMA_ACOSH,
  NORMA_ATANH,
  NORMA_EXP2,
  NORMA_LOG2,
  NORMA_LOG10,
  NORMA_ERFC,
  NORMA_GELU,          // x times the normal distribution function
  NORMA_GELU_SLOPE,    // its derivative
  NORMA_ERFINV,
  NORMA_LGAMMA,
  NORMA_DIGAMMA,
  NORMA_TRIGAMMA,
  NORMA_SINE_RATIO,    // sin x / x
  NORMA_I0,            // modified Bessel functions; with an E, times e^-|x|
  NORMA_I0E,
  NORMA_I1,
  NORMA_I1E,
  NORMA_SIGMOID_SLOPE, // derivatives, for doubles
  NORMA_SILU_SLOPE,
  NORMA_MISH_SLOPE,
  NORMA_TANH_SLOPE,
  NORMA_TANH_SQUARED,
  NORMA_SOFTSIGN_SLOPE,
  NORMA_ERF_SLOPE,
  NORMA_POWER,         // two operands from here on; this and the next three also for integers
  NORMA_FMOD,          // remainder with the sign of the first operand
  NORMA_REMAINDER,     // remainder with the sign of the second operand
  NORMA_FLOOR_DIVIDE,
  NORMA_ATAN2,
  NORMA_HYPOT,
  NORMA_LOG_ADD_EXP,
  NORMA_LOG_ADD_EXP2,
  NORMA_X_LOG_Y,
  NORMA_ZETA,
  NORMA_ANGLE_SLOPE,   // a / (a^2 + b^2)
  NORMA_EXP_SHARE,     // e^a / (e^a + e^b), and the same of powers of 2
  NORMA_EXP2_SHARE,
  NORMA_TRUNC_DIVIDE,  // for all types; integer division by zero gives 0, also above
  NORMA_GCD,           // for integers
  NORMA_ADD,
  NORMA_SUBTRACT,
  NORMA_MULTIPLY,
  NORMA_DIVIDE,
  NORMA_MINIMUM,
  NORMA_MAXIMUM,
  NORMA_GATE,       // for real types: b where a > 0, else 0
  NORMA_FMIN,       // for real types: if one is NaN, the other
  NORMA_FMAX,
  NORMA_COPY_SIGN,  // for real types, like the next three
  NORMA_NEXT_AFTER,
  NORMA_FINITE,         // a clamped to -b ... b, and 0 for NaN
  NORMA_ROUND_DECIMAL,  // a b, rounded, / b
  NORMA_HEAVISIDE,      // for all types: b where a is 0, else whether a is positive
  NORMA_AND,        // for integers, like all up to the shifts
  NORMA_OR,
  NORMA_XOR,
  NORMA_SHIFT_LEFT,   // 0 if the shift is negative or not less than the bits
  NORMA_SHIFT_RIGHT,  // in that case the sign in all bits
  NORMA_EQUAL,
  NORMA_NOT_EQUAL,
  NORMA_LESS,
  NORMA_LESS_OR_EQUAL,
  NORMA_GREATER,
  NORMA_GREATER_OR_EQUAL,
  NORMA_LOGICAL_AND,  // whether both are nonzero, to bytes like comparisons
  NORMA_LOGICAL_OR,
  NORMA_LOGICAL_XOR,
  NORMA_LERP,       // for real types, a, b, weight: interpolates between a and b
  NORMA_SELECT,     // operands: condition (bytes), value where it is not 0, value elsewhere
  NORMA_NORMALIZE,  // operands x, high, low, scale, shift: ((x - high) - low) * scale + shift
  // Operands x, g and, in double, mean, scale, slope, shift: g * scale + (x - mean) * slope +
  // shift.
  NORMA_NORMALIZE_GRADIENT,
  NORMA_SPREAD,     // copies one value to a block
  NORMA_OPERATION_COUNT
};

// out may be one of the operands. A loop found with bit k of `singles` set reads operand k as one
// value for the whole block.
typedef void (*norma_loop)(size_t n, const void *const *operands, void *out);

// NULL if there is no such loop: the caller then expands the single operands to blocks.
norma_loop norma_find_loop(int operation, int type, unsigned singles);

// The same for rows whose operands and results have strides of `pitches` and `out_pitch` bytes.
// Statistics of a normalization that are not single are one row, which repeats.
typedef void (*norma_rows_loop)(
    size_t rows, size_t n, const void *const *operands, const ptrdiff_t *pitches, void *out,
    ptrdiff_t out_pitch);

// NULL if there is no such loop: the caller then runs the other one for each row.
norma_rows_loop norma_find_rows_loop(int operation, int type, unsigned singles);

// Runs a loop for rows of n values; `operands` advance by their pitches.
void norma_run_rows(
    norma_loop loop, size_t rows, size_t n, const void **operands, const ptrdiff_t *pitches,
    int count, void *out, ptrdiff_t out_pitch);

// From one block type to another, or between a block type and a type in memory that is computed in
// it.
norma_loop norma_find_conversion(int from, int to);

// Whether any of n integers of `width` bytes is zero.
int norma_holds_zero(size_t n, const void *values, int width);

// Rounds floats to the values of NORMA_F16 or NORMA_BF16, keeping them as floats; reduces integers
// of the block type to the low bits of NORMA_I8 to NORMA_U32.
norma_loop norma_find_rounding(int type);

// Sums and moments of a block. Floating-point sums are carried in double in 32 interleaved lanes
// that are folded as a tree; m2 is the sum of squared distances from the block's own mean. `lost`
// is the rounding error of a sum of double, and is not written for float.
typedef void (*norma_moments_loop)(
    size_t n, const void *values, double *sum, double *m2, double *lost);
typedef void (*norma_sum_loop)(size_t n, const void *values, void *sum);  // double or int64_t
// Minimum or maximum of *best and the block, NaN if there is one; `first` NULL keeps *best.
typedef void (*norma_extreme_loop)(size_t n, const void *values, void *best);

// The same for every column of a block of rows; `pitch` is the stride between rows in elements.
typedef void (*norma_column_moments_loop)(
    size_t rows, size_t columns, size_t pitch, const void *values, double *sums, double *m2s,
    double *lost);
typedef void (*norma_column_loop)(
    size_t rows, size_t columns, size_t pitch, const void *values, void *results);

// Sums of (x - mean) * g in double, with one mean for the block or one for every column.
typedef void (*norma_centered_loop)(
    size_t n, const void *x, const void *g, const double *mean, double *sum);
typedef void (*norma_column_centered_loop)(
    size_t rows, size_t columns, size_t pitch_x, const void *x, size_t pitch_g, const void *g,
    const double *means, double *sums);

// Mean, sum of squared distances from it, and sum of weights, for values with weights that are not
// negative.
typedef void (*norma_weighted_loop)(
    size_t n, const void *values, const double *weights, double *mean, double *m2, double *count);
typedef void (*norma_column_weighted_loop)(
    size_t rows, size_t columns, size_t pitch, const void *values, size_t weight_pitch,
    const double *weights, double *means, double *m2s, double *counts);

typedef struct {
  norma_sum_loop sum;
  norma_moments_loop moments;
  norma_extreme_loop minimum, maximum;
  norma_column_loop column_sum;
  norma_column_moments_loop column_moments;
  norma_column_loop column_minimum, column_maximum;  // of *results and the rows
  norma_centered_loop centered_sum;                  // of real types
  norma_column_centered_loop column_centered_sum;
  norma_sum_loop product;
  norma_column_loop column_product;
  norma_weighted_loop weighted;  // of real types
  norma_column_weighted_loop column_weighted;
} norma_reductions;

const norma_reductions *norma_find_reductions(int type);

// Sums and moments of rows of n floats, `pitch` elements apart, each as a block: like
// norma_moments_loop.
void norma_row_moments(
    size_t rows, size_t n, size_t pitch, const float *values, double *sums, double *m2s);

// Adds the moments of `count_b` values per column to those of `count_a` (Chan et al. 1983);
// `lost_a` and `lost_b` are both given or both NULL.
void norma_merge_moments(
    size_t columns, double count_a, double *sum_a, double *m2_a, double *lost_a, double count_b,
    const double *sum_b, const double *m2_b, const double *lost_b);
