#include "adam_step.h"

#include <stddef.h>
#include <string.h>

#include "levels.h"
#include "run_level.h"
#include "vectors.h"

#pragma clang fp contract(off)

// The number of elements to prefetch: 4 KiB of each tensor.
enum { AHEAD = 1024 };

#define BODY "adam_step_body.h"
#include "each_level.h"

void norma_adam_step_f32(
    const norma_adam_numbers *numbers, const norma_adam_memory *memory, int streamed, int64_t begin,
    int64_t end) {
  const int lies_well = (uintptr_t)(memory->next_value + begin) % 64 == 0;
  OF_LEVEL(adam_step)(numbers, memory, streamed && lies_well, begin, end);
#if defined(__x86_64__)
  // Makes streamed stores visible to other threads.
  if (streamed) __builtin_ia32_sfence();
#endif
}
