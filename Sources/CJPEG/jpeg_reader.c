// Empty without the package trait, without which nothing calls it.
#if defined(NORMA_JPEG)

#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// A file can have any number of scans, and each processes all pixels; real ones have about ten.
#define MOST_SCANS 500

typedef struct {
  struct jpeg_error_mgr base;
  norma_jpeg *image;
  jmp_buf out;
} failure;

static _Noreturn void leave(failure *f, bool is_unsupported, const char *text) {
  f->image->is_unsupported = is_unsupported;
  snprintf(f->image->problem, sizeof f->image->problem, "%s", text);
  longjmp(f->out, 1);
}

static _Noreturn void fail(j_common_ptr jpeg) {
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  const int code = jpeg->err->msg_code;
  leave(
      (failure *)jpeg->err,
      code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL ||
          code == JERR_CONVERSION_NOTIMPL,
      text);
}

// If data are missing or corrupt, libjpeg continues with gray pixels, and only warns.
// Irregularities that affect no pixels are tolerated, as in image libraries.
static void warn(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
      fail(jpeg);
    default: break;
  }
}

static void watch_scans(j_common_ptr jpeg) {
  if (((j_decompress_ptr)jpeg)->input_scan_number > MOST_SCANS) {
    leave((failure *)jpeg->err, false, "there are more than 500 scans");
  }
}

static void describe(const struct jpeg_decompress_struct *jpeg, failure *f) {
  norma_jpeg *image = f->image;
  image->width = jpeg->image_width;
  image->height = jpeg->image_height;
  switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE: image->channels = 1; break;
    case JCS_RGB:
    case JCS_YCbCr: image->channels = 3; break;
    case JCS_CMYK:
    case JCS_YCCK: leave(f, true, "the colours are CMYK, of printers; convert it to RGB");
    default: leave(f, true, "the colours are of no known kind");
  }
  // A few such bytes can encode any number of pixels, so that no size would be plausible.
  if (jpeg->arith_code) leave(f, true, "it is compressed by arithmetic coding");
}

// Colours and gray as libjpeg returns them, with an opaque alpha.
static void widen(const JSAMPLE *row, size_t width, int channels, uint8_t *target) {
  for (size_t x = 0; x < width; x++) {
    for (int c = 0; c < channels - 1; c++) *target++ = *row++;
    *target++ = 255;
  }
}

static int read_jpeg(
    const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, norma_jpeg *image) {
  struct jpeg_decompress_struct jpeg;
  memset(&jpeg, 0, sizeof jpeg);
  failure f = {.image = image};
  struct jpeg_progress_mgr progress = {.progress_monitor = watch_scans};
  JSAMPROW volatile spare = NULL;
  image->problem[0] = 0;
  image->is_unsupported = false;
  jpeg.err = jpeg_std_error(&f.base);
  f.base.error_exit = fail;
  f.base.emit_message = warn;
  if (setjmp(f.out)) {
    free(spare);
    jpeg_destroy_decompress(&jpeg);
    return -1;
  }
  jpeg_create_decompress(&jpeg);
  jpeg.progress = &progress;
  jpeg_mem_src(&jpeg, (unsigned char *)bytes, (unsigned long)count);
  jpeg_read_header(&jpeg, TRUE);
  describe(&jpeg, &f);
  if (pixels) {
    const bool has_alpha = channels % 2 == 0;
    jpeg.out_color_space = channels >= 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_start_decompress(&jpeg);
    if (jpeg.output_components != (has_alpha ? channels - 1 : channels)) {
      leave(&f, false, "rows have an unexpected size");
    }
    if (has_alpha) {
      spare = malloc((size_t)jpeg.output_width * (size_t)jpeg.output_components);
      if (!spare) leave(&f, false, "there is not enough memory");
    }
    const size_t row = image->width * (size_t)channels;
    while (jpeg.output_scanline < jpeg.output_height) {
      uint8_t *target = pixels + row * jpeg.output_scanline;
      JSAMPROW line = has_alpha ? spare : target;
      jpeg_read_scanlines(&jpeg, &line, 1);
      if (has_alpha) widen(line, image->width, channels, target);
    }
    jpeg_finish_decompress(&jpeg);
  }
  free(spare);
  jpeg_destroy_decompress(&jpeg);
  return 0;
}

int norma_jpeg_describe(const uint8_t *bytes, size_t count, norma_jpeg *image) {
  return read_jpeg(bytes, count, 0, NULL, image);
}

int norma_jpeg_decode(
    const uint8_t *bytes, size_t count, int channels, uint8_t *pixels, norma_jpeg *image) {
  return read_jpeg(bytes, count, channels, pixels, image);
}

#endif
