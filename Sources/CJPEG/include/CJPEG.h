#ifndef NORMA_JPEG_H
#define NORMA_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// JPEG images in memory, read by libjpeg. libjpeg reports errors by longjmp, which must not cross
// Swift frames: so all of it stays on this side, and errors are returned as text.

typedef struct {
  size_t width, height;
  int channels;         // 1 gray, 3 colours
  bool is_unsupported;  // whether the file may be valid, but of an unsupported kind
  char problem[200];
} norma_jpeg;

// Reads the header. Returns 0, or -1 with a problem.
int norma_jpeg_describe(const uint8_t *bytes, size_t count, norma_jpeg *image);

// Reads the pixels, row by row with the channels of a pixel adjacent: 1 gray, 2 gray and alpha, 3
// RGB, 4 RGB and alpha. `pixels` has space for all of them.
int norma_jpeg_decode(
    const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, norma_jpeg *image);

#endif
