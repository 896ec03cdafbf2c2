#include "copying.h"

#include <stdatomic.h>
#include <string.h>

#include "program.h"
#include "run_type.h"
#include "team.h"
#include "vectors.h"
#include "worker.h"

// One axis; strides in bytes.
typedef struct {
  ptrdiff_t size, from, to;
} Axis;

// A box divided into units of rows and columns: the last two axes. The columns are the fastest axis
// of the target.
typedef struct {
  int rank;  // axes before the rows
  Axis outer[NORMA_MAX_DIMENSIONS], row, column;
  ptrdiff_t tall, wide;           // rows and columns of a unit
  ptrdiff_t down, across, count;  // units of one outer index, down and across; of all
  int width, streamed, turns;
  const char *from;
  char *to;
  ptrdiff_t grain;
  _Atomic ptrdiff_t next;
} Copy;

// MARK: Transposed

// Cache lines of one side are transposed in squares of as many lines as a line has elements.
enum { LINE = 64 };

typedef uint32_t four __attribute__((vector_size(16), aligned(4), may_alias));

static void turn_uint32_t(const uint32_t *from, uint32_t *to) {
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 16; j += 4) {
      const uint32_t *at = from + j * 16 + i;
      const four a = *(const four *)at, b = *(const four *)(at + 16);
      const four c = *(const four *)(at + 32), d = *(const four *)(at + 48);
      const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      const four ef = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const four gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      uint32_t *out = to + i * 16 + j;
      *(four *)out = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
      *(four *)(out + 16) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
      *(four *)(out + 32) = __builtin_shufflevector(ef, gh, 0, 1, 4, 5);
      *(four *)(out + 48) = __builtin_shufflevector(ef, gh, 2, 3, 6, 7);
    }
  }
}

#define TURN(T)                                                                  \
  static void turn_##T(const T *from, T *to) {                                   \
    enum { n = LINE / sizeof(T) };                                               \
    for (int i = 0; i < n; i++)                                                  \
      for (int j = 0; j < n; j++) to[i * n + j] = from[j * n + i];               \
  }
TURN(uint8_t)
TURN(uint16_t)
TURN(uint64_t)

// A square of complete lines. Lines at distances of a power of two evict each other from the cache,
// so each is read as a whole, and written as a whole.
static void turn_square(const Copy *c, int side, const char *from, char *to) {
  _Alignas(64) char in[LINE * LINE], out[LINE * LINE];
  for (int j = 0; j < side; j++) STORE(u8v, in + j * LINE, LOAD(u8v, from + j * c->column.from));
  OF_WIDTH(ALL_LEVELS, turn, c->width, ((const void *)in, (void *)out));
  const int streamed = c->streamed && (uintptr_t)to % LINE == 0 && c->row.to % LINE == 0;
  for (int i = 0; i < side; i++) {
    const u8v line = LOAD(u8v, out + i * LINE);
    if (streamed) __builtin_nontemporal_store(line, (u8v *)(to + i * c->row.to));
    else STORE(u8v, to + i * c->row.to, line);
  }
}

// MARK: Boxes

#define COPY_BOX(T)                                                                              \
  static void copy_box_##T(                                                                      \
      ptrdiff_t rows, ptrdiff_t columns, Axis row, Axis column, const char *from, char *to) {    \
    const ptrdiff_t size = (ptrdiff_t)sizeof(T);                                                 \
    if (columns == 2 && column.from == 0 && row.from == size && column.to == size                \
        && row.to == 2 * size) {                                                                 \
      T *pairs = (T *)to;                                                                        \
      const T *each = (const T *)from;                                                           \
      for (ptrdiff_t i = 0; i < rows; i++) pairs[2 * i] = pairs[2 * i + 1] = each[i];            \
      return;                                                                                    \
    }                                                                                            \
    for (ptrdiff_t i = 0; i < rows; i++, from += row.from, to += row.to) {                       \
      T *out = (T *)to;                                                                          \
      if (column.to != size) {                                                                   \
        for (ptrdiff_t j = 0; j < columns; j++) {                                                \
          *(T *)(to + j * column.to) = *(const T *)(from + j * column.from);                     \
        }                                                                                        \
      } else if (column.from == 0) {                                                             \
        const T value = *(const T *)from;                                                        \
        for (ptrdiff_t j = 0; j < columns; j++) out[j] = value;                                  \
      } else if (column.from == -size) {                                                         \
        const T *last = (const T *)from;                                                         \
        for (ptrdiff_t j = 0; j < columns; j++) out[j] = last[-j];                               \
      } else {                                                                                   \
        for (ptrdiff_t j = 0; j < columns; j++) out[j] = *(const T *)(from + j * column.from);   \
      }                                                                                          \
    }                                                                                            \
  }
COPY_BOX(uint8_t)
COPY_BOX(uint16_t)
COPY_BOX(uint32_t)
COPY_BOX(uint64_t)

static void copy_rows(const Copy *c, ptrdiff_t rows, size_t bytes, const char *from, char *to) {
  // Short rows: a call for each would take longer than the copy.
  const int isShort = bytes <= 256 && bytes % 64 == 0;
  for (ptrdiff_t i = 0; i < rows; i++, from += c->row.from, to += c->row.to) {
    if (c->streamed) {
      norma_stream_copy(to, from, bytes);
    } else if (isShort) {
      for (size_t at = 0; at < bytes; at += 64) STORE(u8v, to + at, LOAD(u8v, from + at));
    } else {
      memcpy(to, from, bytes);
    }
  }
}

static void copy_box(
    const Copy *c, ptrdiff_t rows, ptrdiff_t columns, const char *from, char *to) {
  const int isTall = columns < 8 && rows >= 16;
  if (c->column.from == c->width && c->column.to == c->width && !isTall) {
    copy_rows(c, rows, (size_t)(columns * c->width), from, to);
    return;
  }
  Axis row = c->row, column = c->column;
  const int isPair = columns == 2 && column.from == 0;
  if (isTall && !isPair) {
    // The longer axis becomes the inner one.
    const Axis other = row;
    const ptrdiff_t count = rows;
    row = column, column = other, rows = columns, columns = count;
  }
  OF_WIDTH(ALL_LEVELS, copy_box, c->width, (rows, columns, row, column, from, to));
}

// Complete squares, and the remainder around them.
static void turn_box(
    const Copy *c, ptrdiff_t rows, ptrdiff_t columns, const char *from, char *to) {
  const int side = LINE / c->width;
  const ptrdiff_t across = columns / side * side, down = rows / side * side;
  for (ptrdiff_t i = 0; i < down; i += side) {
    for (ptrdiff_t j = 0; j < across; j += side) {
      turn_square(
          c, side, from + i * c->row.from + j * c->column.from,
          to + i * c->row.to + j * c->column.to);
    }
  }
  if (across < columns && down > 0) {
    copy_box(
        c, down, columns - across, from + across * c->column.from, to + across * c->column.to);
  }
  if (down < rows) {
    copy_box(c, rows - down, columns, from + down * c->row.from, to + down * c->row.to);
  }
}

// MARK: Units

static void copy_units(const Copy *c, ptrdiff_t begin, ptrdiff_t end) {
  ptrdiff_t index[NORMA_MAX_DIMENSIONS];
  ptrdiff_t rest = begin / (c->down * c->across), box = begin % (c->down * c->across);
  const char *from = c->from;
  char *to = c->to;
  for (int d = c->rank - 1; d >= 0; d--) {
    index[d] = rest % c->outer[d].size;
    rest /= c->outer[d].size;
    from += index[d] * c->outer[d].from, to += index[d] * c->outer[d].to;
  }
  for (ptrdiff_t unit = begin; unit < end; unit++) {
    const ptrdiff_t row = box / c->across * c->tall, column = box % c->across * c->wide;
    const ptrdiff_t rows = c->row.size - row < c->tall ? c->row.size - row : c->tall;
    const ptrdiff_t columns = c->column.size - column < c->wide ? c->column.size - column : c->wide;
    (c->turns ? turn_box : copy_box)(
        c, rows, columns, from + row * c->row.from + column * c->column.from,
        to + row * c->row.to + column * c->column.to);
    if (++box < c->down * c->across) continue;
    box = 0;
    for (int d = c->rank - 1; d >= 0; d--) {
      from += c->outer[d].from, to += c->outer[d].to;
      if (++index[d] < c->outer[d].size) break;
      from -= index[d] * c->outer[d].from, to -= index[d] * c->outer[d].to;
      index[d] = 0;
    }
  }
}

static void run_units(void *context, int index, int count) {
  (void)index, (void)count;
  Copy *c = context;
  for (;;) {
    const ptrdiff_t begin = atomic_fetch_add(&c->next, c->grain);
    if (begin >= c->count) break;
    copy_units(c, begin, begin + c->grain < c->count ? begin + c->grain : c->count);
  }
#if defined(__x86_64__)
  // Makes streamed stores visible to other threads.
  if (c->streamed) __builtin_ia32_sfence();
#endif
}

// Sorts the axes by their stride in the target and merges those that are contiguous in both sides.
// Returns their number.
static int arrange(
    Axis *axes, int rank, const ptrdiff_t *shape, const ptrdiff_t *from, const ptrdiff_t *to,
    ptrdiff_t unit) {
  int count = 0, merged = 0;
  for (int d = 0; d < rank; d++) {
    if (shape[d] == 1) continue;
    const Axis axis = {shape[d], from[d] * unit, to[d] * unit};
    int position = count++;
    for (; position > 0 && axes[position - 1].to < axis.to; position--) {
      axes[position] = axes[position - 1];
    }
    axes[position] = axis;
  }
  for (int d = 0; d < count; d++) {
    const Axis axis = axes[d];
    Axis *last = axes + merged - 1;
    if (merged && last->from == axis.from * axis.size && last->to == axis.to * axis.size) {
      *last = (Axis){last->size * axis.size, axis.from, axis.to};
    } else {
      axes[merged++] = axis;
    }
  }
  return merged;
}

void norma_copy(
    int rank, const ptrdiff_t *shape, const ptrdiff_t *from_strides, const ptrdiff_t *to_strides,
    ptrdiff_t unit, int width, const void *from, void *to, int streamed, int threads) {
  for (int d = 0; d < rank; d++) {
    if (shape[d] == 0) return;
  }
  Copy c;
  c.width = width, c.streamed = streamed, c.from = from, c.to = to;
  int count = arrange(c.outer, rank, shape, from_strides, to_strides, unit);
  const Axis one = {1, width, width};
  c.column = count ? c.outer[--count] : one;
  // The rows are the fastest axis of the source.
  for (int d = 0; d < count - 1 && c.column.from != width; d++) {
    if (c.outer[d].from != width) continue;
    const Axis fast = c.outer[d];
    for (int e = d; e < count - 1; e++) c.outer[e] = c.outer[e + 1];
    c.outer[count - 1] = fast;
  }
  c.row = count ? c.outer[--count] : one;
  c.rank = count;
  enum { BOX = 32768 };
  const ptrdiff_t side = LINE / width;
  c.turns = c.row.from == width && c.column.to == width && c.column.from != width
            && c.column.from != 0 && c.row.size >= side && c.column.size >= side;
  const ptrdiff_t widest = c.turns ? 2 * LINE : BOX / width;
  c.wide = c.column.size < widest ? c.column.size : widest;
  c.tall = c.turns ? LINE : BOX / width / c.wide;
  c.across = (c.column.size + c.wide - 1) / c.wide;
  c.down = (c.row.size + c.tall - 1) / c.tall;
  c.count = c.across * c.down;
  for (int d = 0; d < c.rank; d++) c.count *= c.outer[d].size;
  if (threads > c.count) threads = (int)c.count;
  const ptrdiff_t grain = threads <= 1 ? c.count : c.count / (threads * 8);
  c.grain = grain < 1 ? 1 : grain;
  atomic_init(&c.next, 0);
  if (threads <= 1) run_units(&c, 0, 1);
  else norma_team_run(run_units, &c, threads);
}
