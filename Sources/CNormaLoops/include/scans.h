// Cumulative results along one axis of dense `[outer, size, inner]`.
//
// Each chain of results is computed in order, so the bits do not depend on threads. Sums and
// products are bound by memory, or by the latency of a chain, and not by the width of registers:
// there is one loop for all instruction sets. Maxima and minima are computed within vectors.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

enum norma_scan_kind {
  NORMA_SCAN_SUM,          // real types are carried in double, integers wrap
  NORMA_SCAN_PRODUCT,      // the same
  NORMA_SCAN_LOG_SUM_EXP,  // real types, carried in double
  NORMA_SCAN_LINEAR        // real types: y[i] = x[i] + factor[i] * y[i - 1], carried in double
};

typedef struct {
  int kind;
  int backwards;  // from the last element to the first
  int64_t size, inner;
} norma_scan;

/// The number of units of work of a scan: chains of one element each, or strips of them.
int64_t norma_scan_units(const norma_scan *scan, int64_t outer);

/// Computes the units `begin ..< end` for NORMA_F32, NORMA_F64 or NORMA_I64. `factor` is for
/// NORMA_SCAN_LINEAR.
void norma_run_scan(
    int type, const norma_scan *scan, const void *x, const void *_Nullable factor, void *y,
    int64_t begin, int64_t end);

/// The maxima (or minima) so far, and the index of the last of them along the axis. NaN propagates,
/// with the index of the last NaN. Types are NORMA_F32 to NORMA_U8.
void norma_scan_extreme(
    int type, const norma_scan *scan, int largest, const void *x, void *y, int64_t *indices,
    int64_t begin, int64_t end);

#pragma clang assume_nonnull end
