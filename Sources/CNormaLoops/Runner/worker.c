#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "vectors.h"

void norma_worker_start(norma_worker *w, const norma_program *p) {
  w->program = p;
  w->outer = -1, w->row = 0, w->moved = 1;
  w->scratch = p->scratch <= sizeof w->room
                   ? w->room : aligned_alloc(64, (p->scratch + 127) / 64 * 64);
  for (int k = 0; k < p->value_count; k++) {
    w->values[k] = p->offsets[k] < 0 ? NULL : w->scratch + p->offsets[k];
  }
  for (int k = 0; k < p->input_count; k++) w->copied[k] = NULL;
}

void norma_worker_stop(norma_worker *w) {
  if (w->scratch != w->room) free(w->scratch);
#if defined(__x86_64__)
  // Makes streamed stores visible to other threads.
  __builtin_ia32_sfence();
#endif
}

void norma_worker_move(norma_worker *w, ptrdiff_t outer) {
  if (w->outer == outer) return;
  const norma_program *p = w->program;
  ptrdiff_t index[NORMA_MAX_DIMENSIONS], rest = outer;
  for (int d = p->space.rank - 1; d >= 0; d--) {
    index[d] = rest % p->space.size[d];
    rest /= p->space.size[d];
  }
  for (int k = 0; k < p->input_count; k++) {
    const char *base = p->input_bases[k];
    for (int d = 0; d < p->space.rank; d++) base += index[d] * p->inputs[k].outer[d];
    w->bases[k] = base;
  }
  for (int k = 0; k < p->output_count; k++) {
    char *base = p->output_bases[k];
    for (int d = 0; d < p->space.rank; d++) base += index[d] * p->outputs[k].outer[d];
    w->output_bases[k] = base;
  }
  w->outer = outer;
  w->moved = 1;
}

#define COPY_STRIDED(T)                                                        \
  if (row == sizeof(T) && column > row) {                                      \
    /* It lies transposed: down the rows, as memory goes. */                   \
    for (ptrdiff_t j = 0; j < columns; j++) {                                  \
      const T *from = (const T *)(source + j * column);                        \
      T *to = (T *)target + j;                                                 \
      for (ptrdiff_t i = 0; i < rows; i++) to[i * columns] = from[i];          \
    }                                                                          \
    return;                                                                    \
  }                                                                            \
  for (ptrdiff_t i = 0; i < rows; i++) {                                       \
    const char *from = source + i * row;                                       \
    T *to = (T *)target + i * columns;                                         \
    if (column == 0) {                                                         \
      const T value = *(const T *)from;                                        \
      for (ptrdiff_t j = 0; j < columns; j++) to[j] = value;                   \
    } else if (column == -(ptrdiff_t)sizeof(T)) {                              \
      const T *last = (const T *)from;                                         \
      for (ptrdiff_t j = 0; j < columns; j++) to[j] = last[-j];                \
    } else {                                                                   \
      for (ptrdiff_t j = 0; j < columns; j++) to[j] = *(const T *)(from + j * column); \
    }                                                                          \
  }

// Gathers a box of elements into a block.
static void copy_box(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t row, ptrdiff_t column, int width,
    const char *source, char *target) {
  if (column == width) {
    const ptrdiff_t bytes = columns * width;
    if (bytes <= 256 && bytes % 64 == 0) {
      // Short rows: a call for each would take longer than the copy.
      for (ptrdiff_t i = 0; i < rows; i++) {
        for (ptrdiff_t at = 0; at < bytes; at += 64) {
          STORE(u8v, target + i * bytes + at, LOAD(u8v, source + i * row + at));
        }
      }
      return;
    }
    for (ptrdiff_t i = 0; i < rows; i++) {
      memcpy(target + i * columns * width, source + i * row, (size_t)(columns * width));
    }
    return;
  }
  switch (width) {
    case 1: COPY_STRIDED(uint8_t) break;
    case 2: COPY_STRIDED(uint16_t) break;
    case 4: COPY_STRIDED(uint32_t) break;
    case 8: COPY_STRIDED(uint64_t) break;
  }
}

// The same if the columns are several dimensions of the operand: piece by piece along the fastest.
static void copy_split(
    const norma_operand *in, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t columns,
    const char *source, char *target) {
  for (ptrdiff_t i = 0; i < rows; i++) {
    for (ptrdiff_t j = first; j < first + columns;) {
      ptrdiff_t rest = j, offset = 0;
      for (int d = 0; d < in->split_count; d++) {
        offset += rest % in->split_size[d] * in->split_stride[d];
        rest /= in->split_size[d];
      }
      ptrdiff_t piece = in->split_size[0] - j % in->split_size[0];
      if (piece > first + columns - j) piece = first + columns - j;
      copy_box(1, piece, 0, in->split_stride[0], in->width, source + i * in->row + offset, target);
      target += piece * in->width;
      j += piece;
    }
  }
}

void norma_stream_copy(void *target, const void *source, size_t bytes) {
  char *to = target;
  const char *from = source;
  const size_t before = (size_t)(-(uintptr_t)to & 63);
  if (bytes < before + 64) {
    memcpy(to, from, bytes);
    return;
  }
  memcpy(to, from, before);
  size_t at = before;
  for (; at + 64 <= bytes; at += 64) {
    __builtin_nontemporal_store(*(const u8vu *)(from + at), (u8v *)(to + at));
  }
  memcpy(to + at, from + at, bytes - at);
}

// The inverse: copies a block to a box of memory.
static void scatter_box(
    ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t row, ptrdiff_t column, int width,
    const char *source, char *target) {
  for (ptrdiff_t i = 0; i < rows; i++) {
    const char *from = source + i * columns * width;
    char *to = target + i * row;
    if (column == width) {
      memcpy(to, from, (size_t)(columns * width));
      continue;
    }
    for (ptrdiff_t j = 0; j < columns; j++) {
      memcpy(to + j * column, from + j * width, (size_t)width);
    }
  }
}

static void run_by_row(
    const norma_instruction *step, ptrdiff_t rows, ptrdiff_t columns, const void **operands,
    char *result) {
  if (step->rows_loop) {
    step->rows_loop((size_t)rows, (size_t)columns, operands, step->pitches, result,
                    step->result_pitch);
    return;
  }
  norma_run_rows(
      step->loop, (size_t)rows, (size_t)columns, operands, step->pitches, step->operand_count,
      result, step->result_pitch);
}

// Prefetches the next tile: the processor's own prefetching stops while a long program works on a
// tile, and follows only few inputs.
static void ask_ahead(const norma_worker *w, size_t from, size_t to) {
  const norma_program *p = w->program;
  for (uint32_t left = p->prefetched; left; left &= left - 1) {
    const norma_operand *in = &p->inputs[__builtin_ctz(left)];
    const char *values = w->values[in->value];
    const char *at = values + from * (size_t)in->width, *end = values + to * (size_t)in->width;
    for (; at < end; at += 64) __builtin_prefetch(at);
  }
}

void norma_worker_run_tile(
    norma_worker *w, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column, ptrdiff_t columns) {
  const norma_program *p = w->program;
  w->moved |= p->singles_by_row && w->row != row;
  w->row = row;
  for (int k = 0; k < p->input_count; k++) {
    const norma_operand *in = &p->inputs[k];
    if (in->local) {
      w->values[in->value] = w->locals[in->local - 1];
      continue;
    }
    const char *source = w->bases[k] + row * in->row + column * in->column;
    int direct = in->single || in->pitched || in->by_row ||
                 (in->split_count == 0 && in->column == in->width &&
                  (rows == 1 || in->row == columns * in->width));
    if (direct) {
      w->values[in->value] = source;
      continue;
    }
    char *target = w->scratch + p->offsets[in->value];
    w->values[in->value] = target;
    if (in->split_count) {
      copy_split(in, rows, column, columns, w->bases[k] + row * in->row, target);
      continue;
    }
    if (w->copied[k] == source && w->copied_rows[k] == rows && w->copied_columns[k] == columns) {
      continue;
    }
    copy_box(rows, columns, in->row, in->column, in->width, source, target);
    w->copied[k] = source, w->copied_rows[k] = rows, w->copied_columns[k] = columns;
  }
  for (int k = 0; k < p->output_count; k++) {
    const norma_operand *out = &p->outputs[k];
    if (!out->direct) continue;
    w->values[out->value] = w->output_bases[k] + row * out->row + column * out->column;
  }
  const size_t n = (size_t)(rows * columns);
  // How many elements of the next tile to prefetch after every instruction, and how many were.
  const int asks = p->instruction_count >= 6 && p->prefetched;
  const size_t share = asks ? (n / (size_t)p->instruction_count + 64) & ~(size_t)63 : 0;
  size_t asked = 0;
  for (int k = 0; k < p->instruction_count; k++) {
    const norma_instruction *step = &p->instructions[k];
    if (step->single && !w->moved) continue;
    const void *operands[NORMA_MAX_OPERANDS];
    for (int o = 0; o < step->operand_count; o++) operands[o] = w->values[step->operands[o]];
    if (step->by_row) run_by_row(step, rows, columns, operands, (char *)w->values[step->result]);
    else step->loop(step->single ? 1 : n, operands, (void *)w->values[step->result]);
    if (asks && asked < n) {
      ask_ahead(w, n + asked, n + (asked + share < n ? asked + share : n));
      asked += share;
    }
  }
  w->moved = 0;
  for (int k = 0; k < p->output_count; k++) {
    const norma_operand *out = &p->outputs[k];
    if (out->direct) continue;
    if (out->streamed) {
      norma_stream_copy(w->output_bases[k] + row * out->row + column * out->column,
                        w->values[out->value], n * (size_t)out->width);
      continue;
    }
    scatter_box(rows, columns, out->row, out->column, out->width, w->values[out->value],
                w->output_bases[k] + row * out->row + column * out->column);
  }
}

void norma_worker_run_elementwise(norma_worker *w, ptrdiff_t tile) {
  const norma_space *s = &w->program->space;
  const ptrdiff_t above = tile / w->program->column_tiles, outer = above / w->program->row_tiles;
  ptrdiff_t column = (tile - above * w->program->column_tiles) * s->tile_columns;
  ptrdiff_t row = (above - outer * w->program->row_tiles) * s->tile_rows;
  norma_worker_move(w, outer);
  ptrdiff_t rows = s->rows - row < s->tile_rows ? s->rows - row : s->tile_rows;
  ptrdiff_t columns =
      s->columns - column < s->tile_columns ? s->columns - column : s->tile_columns;
  norma_worker_run_tile(w, row, rows, column, columns);
}
