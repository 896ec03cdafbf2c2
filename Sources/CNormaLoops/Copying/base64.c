#include "base64.h"

static const char letters[64] __attribute__((nonstring)) =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void norma_base64_encode(const uint8_t *bytes, int64_t count, uint8_t *text) {
  int64_t i = 0;
  for (; i + 3 <= count; i += 3, text += 4) {
    uint32_t word = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
    text[0] = letters[word >> 18];
    text[1] = letters[word >> 12 & 63];
    text[2] = letters[word >> 6 & 63];
    text[3] = letters[word & 63];
  }
  if (i == count) return;
  uint32_t word = (uint32_t)bytes[i] << 16 | (i + 1 < count ? (uint32_t)bytes[i + 1] << 8 : 0);
  text[0] = letters[word >> 18];
  text[1] = letters[word >> 12 & 63];
  text[2] = i + 1 < count ? letters[word >> 6 & 63] : '=';
  text[3] = '=';
}

static int value(uint8_t letter) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

int64_t norma_base64_decode(const uint8_t *text, int64_t count, uint8_t *bytes) {
  if (count % 4 != 0) return -1;
  int64_t padding = 0;
  if (count > 0 && text[count - 1] == '=') padding = text[count - 2] == '=' ? 2 : 1;
  uint8_t *out = bytes;
  for (int64_t i = 0; i < count; i += 4) {
    int known = i + 4 == count ? 4 - (int)padding : 4;
    uint32_t word = 0;
    for (int j = 0; j < 4; j++) {
      int bits = j < known ? value(text[i + j]) : 0;
      if (bits < 0) return -1;
      word = word << 6 | (uint32_t)bits;
    }
    // The bits that padding leaves unused must be zero, so that every value has one encoding.
    if (known < 4 && word << (8 + 8 * (known - 1)) != 0) return -1;
    *out++ = (uint8_t)(word >> 16);
    if (known > 2) *out++ = (uint8_t)(word >> 8);
    if (known > 3) *out++ = (uint8_t)word;
  }
  return out - bytes;
}
