#ifndef NORMA_PNG_H
#define NORMA_PNG_H

#include <stddef.h>
#include <stdint.h>

// PNG images in memory, read by libpng. libpng reports errors by longjmp, which must not cross
// Swift frames: so all of it stays on this side, and errors are returned as text.

typedef struct {
  size_t width, height;
  int channels;  // 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha; palettes are RGB
  int depth;     // 8 or 16; less is widened to 8
  int bits;      // of a pixel as it is stored
  char problem[120];
} norma_png;

// Reads the header. Returns 0, or -1 with a problem.
int norma_png_describe(const uint8_t *bytes, size_t count, norma_png *image);

// Reads the pixels, row by row with the channels of a pixel adjacent, as `channels` channels of the
// image's depth in the machine's byte order. `pixels` has space for all of them.
int norma_png_decode(
    const uint8_t *bytes, size_t count, int channels, void *pixels, norma_png *image);

#endif
