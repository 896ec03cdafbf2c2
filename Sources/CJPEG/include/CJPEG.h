#ifndef NORMA_JPEG_H
#define NORMA_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// JPEG images in memory, read through libjpeg. libjpeg leaves by longjmp, which Swift cannot have: so
// all of it stays on this side, and errors come back as texts.

typedef struct {
  size_t width, height;
  int channels;         // 1 gray, 3 colours
  bool is_unsupported;  // whether the file may be in order and is of a kind that is not read
  char problem[200];
} norma_jpeg;

// What the header says; 0, or -1 with a problem.
int norma_jpeg_describe(const uint8_t *bytes, size_t count, norma_jpeg *image);

// The pixels, row by row with the channels of a pixel side by side: 1 gray, 2 gray and alpha, 3 RGB,
// 4 RGB and alpha. `pixels` has room for all of them.
int norma_jpeg_decode(
    const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, norma_jpeg *image);

#endif
