#include "levels.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_once_t detected = PTHREAD_ONCE_INIT;
static int best_level;
static atomic_int current_level;

static void detect(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3")) best_level = 1;
  if (__builtin_cpu_supports("x86-64-v4")) best_level = 2;
#endif
  atomic_store_explicit(&current_level, best_level, memory_order_relaxed);
}

int norma_loops_best_level(void) {
  pthread_once(&detected, detect);
  return best_level;
}

int norma_loops_level(void) {
  pthread_once(&detected, detect);
  return atomic_load_explicit(&current_level, memory_order_relaxed);
}

void norma_loops_select(int level) {
  int best = norma_loops_best_level();
  int clamped = level < 0 ? 0 : level > best ? best : level;
  atomic_store_explicit(&current_level, clamped, memory_order_relaxed);
}
