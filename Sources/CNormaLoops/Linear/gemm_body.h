// Included by gemm.c once for each level and element type T. The arrays of accumulators become
// registers because every loop over a tile is unrolled.

// Rows of a tile: with two vectors of columns, what the registers hold.
#define ROWS (REGISTER == 64 ? 12 : REGISTER == 32 ? 6 : 4)
#define LANES ((int)(REGISTER / sizeof(T)))
#define COLUMNS (2 * LANES)
#define LOAD(p) (*(const NAME(Loaded) *)(p))
#define STORE(p) (*(NAME(Loaded) *)(p))

typedef T NAME(Vector) __attribute__((vector_size(REGISTER)));
typedef T NAME(Loaded) __attribute__((vector_size(REGISTER), aligned(sizeof(T))));

/// `ROWS` rows at a time, interleaved by column; missing rows are 0.
static void NAME(pack_rows)(
    T *packed, const T *a, int64_t row, int64_t column, int64_t rows, int64_t k) {
  for (int64_t i = 0; i < rows; i += ROWS) {
    int64_t present = rows - i < ROWS ? rows - i : ROWS;
    for (int64_t p = 0; p < k; p++, packed += ROWS) {
      const T *from = a + i * row + p * column;
      for (int64_t r = 0; r < present; r++) packed[r] = from[r * row];
      for (int64_t r = present; r < ROWS; r++) packed[r] = 0;
    }
  }
}

/// `COLUMNS` columns at a time, interleaved by row.
static void NAME(pack_columns)(
    T *packed, const T *b, int64_t row, int64_t column, int64_t columns, int64_t k) {
  for (int64_t j = 0; j < columns; j += COLUMNS) {
    int64_t present = columns - j < COLUMNS ? columns - j : COLUMNS;
    for (int64_t p = 0; p < k; p++, packed += COLUMNS) {
      const T *from = b + p * row + j * column;
      if (present == COLUMNS && column == 1) {
        STORE(packed) = LOAD(from);
        STORE(packed + LANES) = LOAD(from + LANES);
        continue;
      }
      for (int64_t s = 0; s < present; s++) packed[s] = from[s * column];
      for (int64_t s = present; s < COLUMNS; s++) packed[s] = 0;
    }
  }
}

/// One tile: `c = a b`, or `c += a b` after the first block of `k`.
static void NAME(tile)(int64_t k, const T *a, const T *b, T *c, int64_t c_row, int add) {
  NAME(Vector) sums[ROWS][2] = {0};
  for (int64_t p = 0; p < k; p++, a += ROWS, b += COLUMNS) {
    NAME(Vector) left = LOAD(b), right = LOAD(b + LANES);
    UNROLL for (int r = 0; r < ROWS; r++) {
      sums[r][0] += left * a[r];
      sums[r][1] += right * a[r];
    }
  }
  if (add) {
    UNROLL for (int r = 0; r < ROWS; r++) {
      sums[r][0] += LOAD(c + r * c_row);
      sums[r][1] += LOAD(c + r * c_row + LANES);
    }
  }
  UNROLL for (int r = 0; r < ROWS; r++) {
    STORE(c + r * c_row) = sums[r][0];
    STORE(c + r * c_row + LANES) = sums[r][1];
  }
}

/// A tile that lies partly outside of `c`: computed in a buffer, from which the valid part is
/// copied.
static void NAME(edge_tile)(
    int64_t k, const T *a, const T *b, T *c, int64_t c_row, int add, int64_t rows,
    int64_t columns) {
  T whole[ROWS * COLUMNS];
  for (int i = 0; i < ROWS * COLUMNS; i++) whole[i] = 0;
  if (add) {
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t s = 0; s < columns; s++) whole[r * COLUMNS + s] = c[r * c_row + s];
    }
  }
  NAME(tile)(k, a, b, whole, COLUMNS, add);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t s = 0; s < columns; s++) c[r * c_row + s] = whole[r * COLUMNS + s];
  }
}

static void NAME(gemm)(const norma_gemm_shape *s, const T *a, const T *b, T *c, void *scratch) {
  for (int64_t i = 0; s->k <= 0 && i < s->m; i++) {
    for (int64_t j = 0; j < s->n; j++) c[i * s->c_row + j] = 0;
  }
  T *packed_rows = scratch;
  T *packed_columns = packed_rows + packed_rows_length(s);
  int64_t width = columns_of_block(sizeof(T));
  for (int64_t j0 = 0; j0 < s->n; j0 += width) {
    int64_t columns = s->n - j0 < width ? s->n - j0 : width;
    for (int64_t p0 = 0; p0 < s->k; p0 += block_depth) {
      int64_t k = s->k - p0 < block_depth ? s->k - p0 : block_depth;
      NAME(pack_columns)
      (packed_columns, b + p0 * s->b_row + j0 * s->b_column, s->b_row, s->b_column, columns, k);
      for (int64_t i0 = 0; i0 < s->m; i0 += block_rows) {
        int64_t rows = s->m - i0 < block_rows ? s->m - i0 : block_rows;
        NAME(pack_rows)
        (packed_rows, a + i0 * s->a_row + p0 * s->a_column, s->a_row, s->a_column, rows, k);
        for (int64_t j = 0; j < columns; j += COLUMNS) {
          for (int64_t i = 0; i < rows; i += ROWS) {
            const T *left = packed_rows + i * k, *right = packed_columns + j * k;
            T *out = c + (i0 + i) * s->c_row + j0 + j;
            if (i + ROWS <= rows && j + COLUMNS <= columns) {
              NAME(tile)(k, left, right, out, s->c_row, p0 > 0);
            } else {
              int64_t height = rows - i < ROWS ? rows - i : ROWS;
              int64_t breadth = columns - j < COLUMNS ? columns - j : COLUMNS;
              NAME(edge_tile)(k, left, right, out, s->c_row, p0 > 0, height, breadth);
            }
          }
        }
      }
    }
  }
}
