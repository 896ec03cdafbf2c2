// Attention block by block: what happens to a block of scores, and to rows of operands and results,
// between matrix products. Types are NORMA_F32 and NORMA_F64.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// A block of scores, whose rows are adjacent in memory, and who may see whom.
typedef struct {
  int type;
  int64_t rows, columns;
  /// How many columns the first row sees. Each further row sees one more; at least `columns` if all
  /// see everything, and below 1 if the first rows see nothing.
  int64_t seen;
  /// Numbers that are added to the scores, or NULL.
  const void *_Nullable bias;
  /// Bytes that are 0 where nothing is seen, or NULL.
  const uint8_t *_Nullable visible;
  /// Strides of either in elements.
  int64_t mask_row, mask_column;
} norma_attention_block;

/// Replaces scores s by exp(s - m), where m is the largest score of a row in this block and in
/// those before; 0 where nothing is seen. `highest` holds m and `sums` the sums of the powers,
/// -infinity and 0 before the first block; `factors` gets what earlier powers of each row must be
/// multiplied by.
void norma_attention_weights(
    const norma_attention_block *block, void *scores, void *highest, double *sums,
    double *factors);

/// Replaces scores s by exp(s - m), with the largest score m of each row over all blocks.
void norma_attention_powers(
    const norma_attention_block *block, void *scores, const void *highest);

/// to = from where the byte of `kept` is not 0, otherwise 0; rows of `from` and `to` are adjacent.
void norma_attention_keep(
    int type, int64_t rows, int64_t columns, const uint8_t *kept, int64_t kept_row,
    const void *from, void *to);

/// slopes = (slopes - mean of the row) * weights, in double and rounded once.
void norma_attention_slopes(
    const norma_attention_block *block, const void *weights, void *slopes, const double *means);

/// to = from * factor * factors of the row (NULL: 1), in double and rounded once. Strides are in
/// elements; columns of `to` are adjacent.
void norma_attention_scale(
    int type, int64_t rows, int64_t columns, const void *from, int64_t from_row,
    int64_t from_column, double factor, const double *_Nullable factors, void *to, int64_t to_row);

/// into = into * factors of the row (NULL: 1) + from; rows of `from` are adjacent.
void norma_attention_add(
    int type, int64_t rows, int64_t columns, const void *from, const double *_Nullable factors,
    void *into, int64_t into_row);

/// The sum of a * b of each row, in double; rows of `a` are adjacent.
void norma_attention_dots(
    int type, int64_t rows, int64_t columns, const void *a, const void *b, int64_t b_row,
    double *sums);

#pragma clang assume_nonnull end
