// The units of work of a scan.
#pragma once

#include "scans.h"

// A strip of adjacent chains: its rows are read in memory order.
enum { STRIP = 512 };

// The start and number of a unit's chains, and the stride between their elements.
typedef struct {
  int64_t first, width, step;
} part;

static inline int64_t strips(const norma_scan *scan) { return (scan->inner + STRIP - 1) / STRIP; }

static inline part part_of(const norma_scan *scan, int64_t unit) {
  const int64_t count = strips(scan), strip = unit % count, inner = scan->inner;
  part p = {unit / count * scan->size * inner + strip * STRIP, STRIP, inner};
  if (inner - strip * STRIP < STRIP) p.width = inner - strip * STRIP;
  if (scan->backwards) {
    p.first += (scan->size - 1) * inner;
    p.step = -inner;
  }
  return p;
}
