// Runs the C loops on fixed data and prints a hash of each result's bits, one line for each loop: built for
// two processors, both print the same. Tools/check-arm.sh builds and compares them.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adam_step.h"
#include "distances.h"
#include "gemm.h"
#include "group_normalization.h"
#include "levels.h"
#include "loops.h"
#include "random.h"
#include "row_softmax.h"
#include "scans.h"
#include "sorting.h"
#include "team.h"
#include "vector_math.h"

enum { COUNT = 1531 };  // no multiple of any vector's length

static uint64_t state = 1;

static uint64_t word(void) {  // SplitMix64
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static uint64_t hash_of(const void *bytes, size_t count) {  // FNV-1a
  const unsigned char *p = bytes;
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < count; i++) hash = (hash ^ p[i]) * 0x100000001b3;
  return hash;
}

// The sign and the payload of NaN are the processor's own.
static void clean32(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) if (isnan(x[i])) x[i] = NAN;
}
static void clean64(double *x, size_t n) {
  for (size_t i = 0; i < n; i++) if (isnan(x[i])) x[i] = NAN;
}

static void print32(const char *name, int a, int b, int c, float *x, size_t n) {
  clean32(x, n);
  printf("%s %d %d %d %016llx\n", name, a, b, c, (unsigned long long)hash_of(x, n * sizeof *x));
}
static void print64(const char *name, int a, int b, int c, double *x, size_t n) {
  clean64(x, n);
  printf("%s %d %d %d %016llx\n", name, a, b, c, (unsigned long long)hash_of(x, n * sizeof *x));
}
static void print_bytes(const char *name, int a, int b, int c, const void *x, size_t n) {
  printf("%s %d %d %d %016llx\n", name, a, b, c, (unsigned long long)hash_of(x, n));
}

// Ordinary numbers of many sizes, and the special ones.
static void fill32(float *x, size_t n) {
  static const float special[] = {0, -0.f, 1, -1, 0.5f, 2, 1e-45f, -1e-40f, 3e38f, -3e38f, INFINITY,
                                  -INFINITY, NAN, 88.7f, -103.9f, 16777216, 0.99999994f};
  for (size_t i = 0; i < n; i++) {
    const float unit = (float)(word() >> 40) * 0x1p-24f * 2 - 1;
    x[i] = ldexpf(unit, (int)(word() % 24) - 12);
  }
  for (size_t i = 0; i < sizeof special / sizeof *special; i++) x[i * 37 % n] = special[i];
}
static void fill64(double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const double unit = (double)(word() >> 11) * 0x1p-53 * 2 - 1;
    x[i] = ldexp(unit, (int)(word() % 60) - 30);
  }
  x[3] = INFINITY, x[7] = -INFINITY, x[11] = NAN, x[13] = -0.0, x[17] = 4e-324, x[19] = 1e308;
}
static void fill(int type, void *x, size_t n) {
  switch (type) {
    case NORMA_F32: fill32(x, n); break;
    case NORMA_F64: fill64(x, n); break;
    case NORMA_U8: for (size_t i = 0; i < n; i++) ((uint8_t *)x)[i] = (uint8_t)word(); break;
    case NORMA_I32:
      for (size_t i = 0; i < n; i++) ((int32_t *)x)[i] = (int32_t)(word() >> (word() % 32 + 32));
      break;
    default: for (size_t i = 0; i < n; i++) ((uint64_t *)x)[i] = word() >> word() % 64; break;
  }
}

// Functions of doubles are those of the C library, which differs between systems.
static int is_library(int operation, int type) {
  return type == NORMA_F64 && operation >= NORMA_EXP && operation <= NORMA_EXP2_SHARE;
}

static void elementwise(void) {
  static double a[COUNT], b[COUNT], c[COUNT], out[COUNT], s[3][COUNT];
  for (int operation = 0; operation < NORMA_OPERATION_COUNT; operation++) {
    for (int type = 0; type < NORMA_TYPE_COUNT; type++) {
      for (unsigned singles = 0; singles < 32; singles++) {
        const norma_loop loop = norma_find_loop(operation, type, singles);
        if (!loop || is_library(operation, type)) continue;
        fill(type, a, COUNT), fill(type, b, COUNT), fill(type, c, COUNT);
        for (int k = 0; k < 3; k++) {
          operation == NORMA_NORMALIZE_GRADIENT ? fill64(s[k], COUNT) : fill(type, s[k], COUNT);
        }
        if (operation == NORMA_SELECT) {
          for (int i = 0; i < COUNT; i++) ((uint8_t *)a)[i] = (uint8_t)(i % 3 != 0);
        }
        const void *operands[] = {a, b, operation == NORMA_NORMALIZE_GRADIENT ? (void *)s[2] : c,
                                  s[0], s[1], s[2], s[0]};
        memset(out, 0, sizeof out);
        loop(COUNT, operands, out);
        if (type == NORMA_F32) {
          print32("loop", operation, type, (int)singles, (float *)out, COUNT);
        } else if (type == NORMA_F64) {
          print64("loop", operation, type, (int)singles, out, COUNT);
        } else {
          print_bytes("loop", operation, type, (int)singles, out, sizeof out);
        }
      }
    }
  }
}

static void reductions(void) {
  static double x[COUNT], y[COUNT], w[COUNT], results[4 * 64];
  for (int type = 0; type < NORMA_TYPE_COUNT; type++) {
    const norma_reductions *loops = norma_find_reductions(type);
    const int real = type == NORMA_F32 || type == NORMA_F64;
    fill(type, x, COUNT), fill(type, y, COUNT);
    if (type == NORMA_F32) for (int i = 0; i < COUNT; i++) ((float *)x)[i] = (float)(word() >> 40) - 8e6f;
    if (type == NORMA_F64) for (int i = 0; i < COUNT; i++) x[i] = (double)(word() >> 11) * 1e-9;
    for (int i = 0; i < COUNT; i++) w[i] = (double)(word() >> 40) * 0x1p-20;
    memset(results, 0, sizeof results);
    loops->sum(COUNT, x, results);
    loops->product(37, x, results + 1);
    memcpy(results + 2, x, 8), memcpy(results + 3, x, 8);
    loops->minimum(COUNT, x, results + 2), loops->maximum(COUNT, x, results + 3);
    print_bytes("reduction", type, 0, 0, results, 32);
    memset(results, 0, sizeof results);
    loops->column_sum(23, 61, 61, x, results);
    print_bytes("columns", type, 0, 0, results, 61 * 8);
    if (!real) continue;
    loops->moments(COUNT, x, results, results + 1, results + 2);
    const double mean = results[0] / COUNT;
    loops->centered_sum(COUNT, x, y, &mean, results + 3);
    loops->weighted(COUNT, x, w, results + 4, results + 5, results + 6);
    print64("moments", type, 0, 0, results, 7);
    memset(results, 0, sizeof results);
    loops->column_moments(23, 61, 61, x, results, results + 64, results + 128);
    print64("columnMoments", type, 0, 0, results, 192);
  }
}

static void rows(void) {
  enum { R = 29, C = 131 };
  static float x[R * C], y[R * C], g[R * C], z[R * C], weight[C], bias[C];
  static double mean[R], squares[R], variance[R], ws[C], bs[C];
  static int64_t at[R];
  for (int i = 0; i < R * C; i++) {
    x[i] = (float)(word() >> 40) * 0x1p-21f - 4, g[i] = (float)(word() >> 40) * 0x1p-23f - 1;
  }
  for (int i = 0; i < C; i++) weight[i] = 1 + (float)i / C, bias[i] = (float)i / 7;
  norma_row_softmax(C, x, 0, y, 0, 0, R), print32("softmax", 0, 0, 0, y, R * C);
  norma_row_softmax(C, x, 40, z, 0, 0, R), print32("softmax", 1, 0, 0, z, R * C);
  norma_row_softmax_gradient(C, y, g, z, 0, 0, R), print32("softmax", 2, 0, 0, z, R * C);
  norma_row_log_softmax(C, x, z, 0, 0, R), print32("softmax", 3, 0, 0, z, R * C);
  norma_row_log_sum_exp(C, x, z, 0, R), print32("softmax", 4, 0, 0, z, R);
  for (int i = 0; i < R; i++) at[i] = i % C - 1;
  norma_row_log_softmax_at(C, x, at, z, y, squares, 0, R), print32("softmax", 5, 0, 0, z, R);
  const norma_groups groups = {R, 1, C, C, C, 1, C};
  const norma_group_parameters parameters = {weight, bias, 1e-5, 0};
  norma_normalize_groups(&groups, &parameters, x, y, mean, squares, variance, 0, R);
  print32("groups", 0, 0, 0, y, R * C), print64("groups", 1, 0, 0, variance, R);
  norma_group_gradient(&groups, &parameters, x, g, mean, variance, z, ws, bs, 0, R);
  print32("rowGradient", 0, 0, 0, z, R * C), print64("rowGradient", 1, 0, 0, ws, C);
  const norma_adam_numbers numbers = {0.99f, 0.01f, 0.1f, 0.999f, 0.001f, 1e-3f, 1.1f, 1e-8f};
  const norma_adam_memory memory = {x, g, y, z, x, y, z};
  for (int i = 0; i < R * C; i++) z[i] = fabsf(z[i]);
  norma_adam_step_f32(&numbers, &memory, 0, 0, R * C);
  print32("adam", 0, 0, 0, x, R * C), print32("adam", 1, 0, 0, z, R * C);
}

static void matrices(void) {
  enum { M = 37, N = 53, K = 301 };
  static float a[M * K], b[K * N], c[M * N];
  static double da[M * K], db[K * N], dc[M * N];
  for (int i = 0; i < M * K; i++) da[i] = a[i] = (float)(word() >> 40) * 0x1p-24f - 0.5f;
  for (int i = 0; i < K * N; i++) db[i] = b[i] = (float)(word() >> 40) * 0x1p-24f - 0.5f;
  const norma_gemm_shape shape = {M, N, K, K, 1, N, 1, N};
  void *scratch = aligned_alloc(64, (size_t)(norma_gemm_scratch_bytes(&shape, 8) + 63) / 64 * 64);
  norma_gemm(NORMA_F32, &shape, a, b, c, scratch), print32("gemm", 0, 0, 0, c, M * N);
  norma_gemm(NORMA_F64, &shape, da, db, dc, scratch), print64("gemm", 1, 0, 0, dc, M * N);
  norma_gemm_small_f32(&shape, a, b, c), print32("gemm", 2, 0, 0, c, M * N);
  free(scratch);
  const norma_distances pairs = {M, N, 100, K, 1, 100, 1};
  for (int kind = NORMA_DISTANCE_COUNT; kind <= NORMA_DISTANCE_LARGEST; kind++) {
    void *room = aligned_alloc(64, (size_t)(norma_distance_scratch_bytes(&pairs) + 63) / 64 * 64 + 64);
    norma_run_distances(
        NORMA_F32, &pairs, kind, a, b, c, 0, norma_distance_units(&pairs), room);
    print32("distances", kind, 0, 0, c, M * N);
    free(room);
  }
}

static void order(void) {
  enum { R = 5, S = 700 };
  static float x[R * S], values[R * S];
  static int64_t at[R * S];
  fill32(x, R * S);
  const norma_order whole = {S, S, 1};
  void *scratch = malloc((size_t)norma_sort_scratch(8, S));
  norma_sort_rows(NORMA_F32, &whole, x, values, at, scratch, 0, R);
  print32("sort", 0, 0, 0, values, R * S), print_bytes("sort", 1, 0, 0, at, sizeof at);
  const norma_order few = {S, 9, 0};
  norma_first_of_rows(NORMA_F32, &few, x, values, at, scratch, 0, R);
  print_bytes("sort", 2, 0, 0, at, R * 9 * sizeof *at);
  free(scratch);
  const norma_scan scan = {NORMA_SCAN_SUM, 0, S, 1};
  for (int i = 0; i < R * S; i++) x[i] = (float)(word() >> 40) * 0x1p-24f;
  norma_run_scan(NORMA_F32, &scan, x, NULL, values, 0, norma_scan_units(&scan, R));
  print32("scan", 0, 0, 0, values, R * S);
}

static void draws(void) {
  static uint32_t words[NORMA_RANDOM_BLOCK * 3], tempered[NORMA_RANDOM_BLOCK * 3];
  static float units[1600];
  const norma_random_loops *loops = norma_find_random_loops(norma_loops_level());
  for (int i = 0; i < NORMA_RANDOM_BLOCK; i++) words[i] = (uint32_t)word();
  loops->extend(words, 2), print_bytes("random", 0, 0, 0, words, sizeof words);
  loops->temper(words, tempered, NORMA_RANDOM_BLOCK * 3);
  print_bytes("random", 1, 0, 0, tempered, sizeof tempered);
  loops->unit32(words, units, 1600), print32("random", 2, 0, 0, units, 1600);
  loops->normal32(units, 100, 1, 2), print32("random", 3, 0, 0, units, 1600);
}

static void count(void *context, int index, int all) {
  ((int *)context)[index] = index * all;
}

int main(void) {
  elementwise(), reductions(), rows(), matrices(), order(), draws();
  int counts[8] = {0};
  norma_team_run(count, counts, 8);
  print_bytes("team", 0, 0, 0, counts, sizeof counts);
  return 0;
}
