// Empty without the package trait, without which nothing calls it.
#if defined(NORMA_PNG)

#include "CPNG.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t count, position;
  norma_png *image;
  jmp_buf out;
} reader;

static void fail(png_structp png, png_const_charp text) {
  reader *r = png_get_error_ptr(png);
  snprintf(r->image->problem, sizeof r->image->problem, "%s", text);
  longjmp(r->out, 1);
}

static void ignore(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void take(png_structp png, png_bytep target, size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->count - r->position) png_error(png, "the file ends early");
  memcpy(target, r->bytes + r->position, count);
  r->position += count;
}

static void describe(png_structp png, png_infop info, norma_png *image) {
  const int type = png_get_color_type(png, info);
  const int has_alpha =
      (type & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS);
  image->width = png_get_image_width(png, info);
  image->height = png_get_image_height(png, info);
  image->channels = (type & PNG_COLOR_MASK_COLOR ? 3 : 1) + (has_alpha ? 1 : 0);
  image->depth = png_get_bit_depth(png, info) == 16 ? 16 : 8;
  image->bits = png_get_bit_depth(png, info) * png_get_channels(png, info);
}

// Requests `channels` channels of 8 or 16 bits.
static void transform(png_structp png, const norma_png *image, int channels) {
  png_set_expand(png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (image->depth == 16) png_set_swap(png);
#endif
  const int is_color = image->channels >= 3, wants_color = channels >= 3;
  const int has_alpha = image->channels % 2 == 0, wants_alpha = channels % 2 == 0;
  // The luma weights of ITU-R BT.601, which image libraries use.
  if (is_color && !wants_color) png_set_rgb_to_gray_fixed(png, 1, 29900, 58700);
  if (!is_color && wants_color) png_set_gray_to_rgb(png);
  if (has_alpha && !wants_alpha) png_set_strip_alpha(png);
  if (!has_alpha && wants_alpha) png_set_add_alpha(png, 0xffff, PNG_FILLER_AFTER);
}

static int read_png(
    const uint8_t *bytes, size_t count, int channels, void *pixels, norma_png *image) {
  reader r = {.bytes = bytes, .count = count, .image = image};
  image->problem[0] = 0;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, fail, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  png_bytep *volatile rows = NULL;
  if (!info) {
    snprintf(image->problem, sizeof image->problem, "libpng %s does not start", png_libpng_ver);
    png_destroy_read_struct(&png, NULL, NULL);
    return -1;
  }
  if (setjmp(r.out)) {
    free((void *)rows);
    png_destroy_read_struct(&png, &info, NULL);
    return -1;
  }
  png_set_read_fn(png, &r, take);
  png_set_user_limits(png, 1 << 20, 1 << 20);
  png_set_chunk_malloc_max(png, 8 << 20);
  png_set_chunk_cache_max(png, 128);
  png_read_info(png, info);
  describe(png, info, image);
  if (pixels) {
    transform(png, image, channels);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    const size_t row = image->width * (size_t)channels * (size_t)(image->depth / 8);
    if (png_get_rowbytes(png, info) != row) png_error(png, "rows have an unexpected size");
    rows = malloc(image->height * sizeof *rows);
    if (!rows) png_error(png, "not enough memory");
    for (size_t k = 0; k < image->height; k++) rows[k] = (png_bytep)pixels + k * row;
    png_read_image(png, (png_bytepp)rows);
    png_read_end(png, NULL);
  }
  free((void *)rows);
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

int norma_png_describe(const uint8_t *bytes, size_t count, norma_png *image) {
  return read_png(bytes, count, 0, NULL, image);
}

int norma_png_decode(
    const uint8_t *bytes, size_t count, int channels, void *pixels, norma_png *image) {
  return read_png(bytes, count, channels, pixels, image);
}

#endif
