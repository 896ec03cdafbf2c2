// Tiles, blocks and units of distances; included by distances.c once for each level.

// Four rows by eight columns of sums: each column's components with those of four rows.
#define TILE(name, NEXT)                                                                     \
  static void LEVEL(tile_##name)(                                                            \
      int64_t depth, const double *restrict a, const double *restrict b,                     \
      double *restrict sums, int64_t pitch, int add) {                                       \
    f64v s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                                             \
    if (add) {                                                                               \
      s0 = LOAD(f64v, sums), s1 = LOAD(f64v, sums + pitch);                                  \
      s2 = LOAD(f64v, sums + 2 * pitch), s3 = LOAD(f64v, sums + 3 * pitch);                  \
    }                                                                                        \
    for (int64_t k = 0; k < depth; k++, a += tile_rows, b += tile_columns) {                 \
      const f64v column = LOAD(f64v, b);                                                     \
      const f64v d0 = column - a[0], d1 = column - a[1];                                     \
      const f64v d2 = column - a[2], d3 = column - a[3];                                     \
      s0 = NEXT(s0, d0), s1 = NEXT(s1, d1), s2 = NEXT(s2, d2), s3 = NEXT(s3, d3);            \
    }                                                                                        \
    STORE(f64v, sums, s0), STORE(f64v, sums + pitch, s1);                                    \
    STORE(f64v, sums + 2 * pitch, s2), STORE(f64v, sums + 3 * pitch, s3);                    \
  }

#define SIZE(d) ((f64v)((i64v)(d) & INT64_MAX))
#define WITH_COUNT(s, d) (s + (f64v)((i64v)((f64v){0} + 1) & (i64v)(d != 0)))
#define WITH_SIZE(s, d) (s + SIZE(d))
#define WITH_SQUARE(s, d) (s + d * d)
#define WITH_LARGER(s, d) CHOOSE(f64v, i64v, (SIZE(d) > s) | (d != d), SIZE(d), s)
TILE(count, WITH_COUNT)
TILE(sum, WITH_SIZE)
TILE(root, WITH_SQUARE)
TILE(largest, WITH_LARGER)

// `width` vectors at a time, interleaved by component; missing ones are 0.
#define PACK(T, s)                                                                           \
  static void LEVEL(pack_##s)(                                                               \
      double *restrict packed, const T *restrict x, int64_t row, int64_t element,            \
      int64_t rows, int64_t depth, int64_t width) {                                          \
    for (int64_t i = 0; i < rows; i += width, packed += width * depth) {                     \
      const int64_t present = smaller(width, rows - i);                                      \
      for (int64_t r = 0; r < width; r++) {                                                  \
        const T *from = x + (i + (r < present ? r : 0)) * row;                               \
        if (r >= present) {                                                                  \
          for (int64_t k = 0; k < depth; k++) packed[k * width + r] = 0;                     \
        } else {                                                                             \
          for (int64_t k = 0; k < depth; k++) packed[k * width + r] = (double)from[k * element]; \
        }                                                                                    \
      }                                                                                      \
    }                                                                                        \
  }
PACK(float, f32)
PACK(double, f64)

typedef void (*LEVEL(Tile))(
    int64_t, const double *restrict, const double *restrict, double *restrict, int64_t, int);

#define UNIT(s, T)                                                                           \
  static void LEVEL(distances_##s)(                                                          \
      const norma_distances *shape, int kind, const T *a, const T *b, T *result,             \
      int64_t begin, int64_t end, void *scratch) {                                           \
    const LEVEL(Tile) tile = kind == NORMA_DISTANCE_COUNT  ? LEVEL(tile_count)               \
                             : kind == NORMA_DISTANCE_SUM  ? LEVEL(tile_sum)                 \
                             : kind == NORMA_DISTANCE_ROOT ? LEVEL(tile_root)                \
                                                           : LEVEL(tile_largest);            \
    const Block whole = largest_block(shape);                                                \
    double *sums = scratch, *right = sums + whole.rows * whole.columns;                      \
    double *left = right + whole.columns * whole.depth;                                      \
    const int64_t across = parts(shape->columns, block_columns);                             \
    for (int64_t unit = begin; unit < end; unit++) {                                         \
      const int64_t i = unit / across * block_rows, j = unit % across * block_columns;       \
      const int64_t rows = smaller(shape->rows - i, block_rows);                             \
      const int64_t columns = smaller(shape->columns - j, block_columns);                    \
      int64_t k = 0;                                                                         \
      do {                                                                                   \
        const int64_t depth = smaller(shape->depth - k, block_depth);                        \
        LEVEL(pack_##s)(right, b + j * shape->b_row + k * shape->b_element, shape->b_row,    \
                        shape->b_element, columns, depth, tile_columns);                     \
        LEVEL(pack_##s)(left, a + i * shape->a_row + k * shape->a_element, shape->a_row,     \
                        shape->a_element, rows, depth, tile_rows);                           \
        for (int64_t c = 0; c < columns; c += tile_columns) {                                \
          for (int64_t r = 0; r < rows; r += tile_rows) {                                    \
            tile(depth, left + r * depth, right + c * depth, sums + r * whole.columns + c,   \
                 whole.columns, k > 0);                                                      \
          }                                                                                  \
        }                                                                                    \
        k += block_depth;                                                                    \
      } while (k < shape->depth);                                                            \
      for (int64_t r = 0; r < rows; r++) {                                                   \
        double *from = sums + r * whole.columns;                                             \
        T *to = result + (i + r) * shape->columns + j;                                       \
        if (kind == NORMA_DISTANCE_ROOT) {                                                   \
          for (int64_t c = 0; c < columns; c += tile_columns) {                              \
            STORE(f64v, from + c, __builtin_elementwise_sqrt(LOAD(f64v, from + c)));         \
          }                                                                                  \
        }                                                                                    \
        for (int64_t c = 0; c < columns; c++) to[c] = (T)from[c];                            \
      }                                                                                      \
    }                                                                                        \
  }
UNIT(f32, float)
UNIT(f64, double)
