#pragma once

#include <stdint.h>

// Bytes as text and back (RFC 4648, with padding).

/// Writes (count + 2) / 3 * 4 characters.
void norma_base64_encode(const uint8_t *bytes, int64_t count, uint8_t *text);

/// Reads `count` characters into at most count / 4 * 3 bytes.
///
/// Returns the number of bytes, or -1 if the text is not the result of an encoding.
int64_t norma_base64_decode(const uint8_t *text, int64_t count, uint8_t *bytes);
