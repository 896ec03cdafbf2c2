// Tiles and units of gradients of distances; included by distance_slopes.c once for each level.

// Eight components of four rows with those of `count` others.
#define TILE(name, TERM)                                                                     \
  static void LEVEL(slope_##name)(                                                           \
      int64_t count, int64_t pitch, const double *restrict a, const double *restrict b,      \
      const double *restrict weights, double *restrict sums) {                               \
    const f64v a0 = LOAD(f64v, a), a1 = LOAD(f64v, a + pitch);                               \
    const f64v a2 = LOAD(f64v, a + 2 * pitch), a3 = LOAD(f64v, a + 3 * pitch);               \
    f64v s0 = LOAD(f64v, sums), s1 = LOAD(f64v, sums + pitch);                               \
    f64v s2 = LOAD(f64v, sums + 2 * pitch), s3 = LOAD(f64v, sums + 3 * pitch);               \
    for (int64_t j = 0; j < count; j++, b += pitch, weights += slope_rows) {                 \
      const f64v other = LOAD(f64v, b);                                                      \
      const f64v d0 = a0 - other, d1 = a1 - other, d2 = a2 - other, d3 = a3 - other;         \
      s0 += TERM(d0, weights[0]), s1 += TERM(d1, weights[1]);                                \
      s2 += TERM(d2, weights[2]), s3 += TERM(d3, weights[3]);                                \
    }                                                                                        \
    STORE(f64v, sums, s0), STORE(f64v, sums + pitch, s1);                                    \
    STORE(f64v, sums + 2 * pitch, s2), STORE(f64v, sums + 3 * pitch, s3);                    \
  }
#define WITH_DIFFERENCE(d, w) (d * (w))
#define WITH_SIGN(d, w)                                                                      \
  (f64v)(((i64v)((f64v){0} + (w)) ^ ((i64v)(d < 0) & INT64_MIN)) & (i64v)(d != 0))
TILE(root, WITH_DIFFERENCE)
TILE(sum, WITH_SIGN)

typedef void (*LEVEL(Slope))(
    int64_t, int64_t, const double *restrict, const double *restrict, const double *restrict,
    double *restrict);

// Vectors as doubles, padded with zeros to complete tiles.
#define UNIT(s, T)                                                                           \
  static void LEVEL(copy_##s)(                                                               \
      double *restrict to, const T *restrict x, int64_t row, int64_t element, int64_t rows,  \
      int64_t depth, int64_t whole_rows, int64_t pitch) {                                    \
    for (int64_t i = 0; i < whole_rows; i++, to += pitch) {                                  \
      const int64_t present = i < rows ? depth : 0;                                          \
      for (int64_t k = 0; k < present; k++) to[k] = (double)x[i * row + k * element];        \
      for (int64_t k = present; k < pitch; k++) to[k] = 0;                                   \
    }                                                                                        \
  }                                                                                          \
  static void LEVEL(slopes_##s)(                                                             \
      const norma_distances *shape, int kind, const T *a, const T *b, const double *weights, \
      int64_t weights_row, int64_t weights_column, T *result, int64_t begin, int64_t end,    \
      void *scratch) {                                                                       \
    const LEVEL(Slope) tile = kind == NORMA_DISTANCE_SUM ? LEVEL(slope_sum)                  \
                                                         : LEVEL(slope_root);                \
    const Block whole = largest_block(shape);                                                \
    const int64_t pitch = whole.depth;                                                       \
    double *left = scratch, *sums = left + whole.rows * pitch;                               \
    double *right = sums + whole.rows * pitch, *shares = right + whole.others * pitch;       \
    const int64_t across = parts(shape->depth, depth_block);                                 \
    for (int64_t unit = begin; unit < end; unit++) {                                         \
      const int64_t i = unit / across * rows_block, k = unit % across * depth_block;         \
      const int64_t rows = smaller(shape->rows - i, rows_block);                             \
      const int64_t depth = smaller(shape->depth - k, depth_block);                          \
      LEVEL(copy_##s)(left, a + i * shape->a_row + k * shape->a_element, shape->a_row,       \
                      shape->a_element, rows, depth, whole.rows, pitch);                     \
      for (int64_t n = 0; n < whole.rows * pitch; n++) sums[n] = 0;                          \
      for (int64_t j = 0; j < shape->columns; j += others_block) {                           \
        const int64_t others = smaller(shape->columns - j, others_block);                    \
        LEVEL(copy_##s)(right, b + j * shape->b_row + k * shape->b_element, shape->b_row,    \
                        shape->b_element, others, depth, others, pitch);                     \
        for (int64_t r = 0; r < rows; r += slope_rows) {                                     \
          double *share = shares;                                                            \
          for (int64_t n = 0; n < others; n++) {                                             \
            const double *from = weights + (j + n) * weights_column + (i + r) * weights_row; \
            for (int64_t t = 0; t < slope_rows; t++) {                                       \
              *share++ = r + t < rows ? from[t * weights_row] : 0;                           \
            }                                                                                \
          }                                                                                  \
          for (int64_t c = 0; c < depth; c += slope_lanes) {                                 \
            tile(others, pitch, left + r * pitch + c, right + c, shares,                     \
                 sums + r * pitch + c);                                                      \
          }                                                                                  \
        }                                                                                    \
      }                                                                                      \
      for (int64_t r = 0; r < rows; r++) {                                                   \
        T *to = result + (i + r) * shape->depth + k;                                         \
        for (int64_t c = 0; c < depth; c++) to[c] = (T)sums[r * pitch + c];                  \
      }                                                                                      \
    }                                                                                        \
  }
UNIT(f32, float)
UNIT(f64, double)
