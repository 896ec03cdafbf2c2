#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__linux__)
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#endif

#if __has_feature(thread_sanitizer) || !(defined(__linux__) || defined(__APPLE__))
#define POOL_ONLY 1
#else
#define POOL_ONLY 0
#endif

#if defined(__APPLE__) && !POOL_ONLY
#include <dispatch/dispatch.h>
#else
#include "pool.h"
#endif

typedef struct {
  void (*body)(void *context, int index, int count);
  void *context;
  int count;
} Region;

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static atomic_flag busy = ATOMIC_FLAG_INIT;
static atomic_bool forked;
static int default_threads;

// MARK: The number of cores

/// The number of cores in the control group's quota, rounded down but at least 1; 0 if there is
/// none.
static int quota_cores(void) {
  int cores = 0;
#if defined(__linux__)
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
  if (!file) return 0;
  long long quota, period;
  if (fscanf(file, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
    long long whole = (quota + period - 1) / period;
    cores = whole < 4096 ? (int)whole : 4096;
  }
  fclose(file);
#endif
  return cores;
}

static int usable_cores(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
#endif
  int quota = quota_cores();
  if (quota > 0 && quota < cores) cores = quota;
  return cores < 1 ? 1 : (int)cores;
}

/// The first number of `OMP_NUM_THREADS`, which may be a list; 0 if it is not usable.
static int threads_of_environment(void) {
  const char *text = getenv("OMP_NUM_THREADS");
  if (!text) return 0;
  long value = strtol(text, NULL, 10);
  return value < 1 ? 0 : value < 4096 ? (int)value : 4096;
}

// MARK: libgomp

#if defined(__linux__) && !POOL_ONLY
/// More threads than this would be started, but never useful.
enum { max_members = 256 };

static void (*gomp_parallel)(void (*)(void *), void *, unsigned, unsigned);
static int (*gomp_index)(void);
static int (*gomp_count)(void);
static void (*openmp_set_threads)(int);

static void find_gomp(void) {
  *(void **)&gomp_index = dlsym(RTLD_DEFAULT, "omp_get_thread_num");
  *(void **)&gomp_count = dlsym(RTLD_DEFAULT, "omp_get_num_threads");
  *(void **)&openmp_set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  *(void **)&gomp_parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
  if (!gomp_index || !gomp_count) gomp_parallel = NULL;
}

/// The team may be smaller than requested: the process may have a limit.
static void gomp_share(void *argument) {
  const Region *region = argument;
  int members = gomp_count();
  for (int index = gomp_index(); index < region->count; index += members) {
    region->body(region->context, index, region->count);
  }
}
#endif

#if defined(__APPLE__) && !POOL_ONLY
static void dispatch_share(void *argument, size_t index) {
  const Region *region = argument;
  region->body(region->context, (int)index, region->count);
}
#endif

// MARK: The team

static void note_fork(void) { atomic_store(&forked, true); }

static void prepare(void) {
  int wanted = threads_of_environment();
  default_threads = wanted ? wanted : usable_cores();
#if defined(__linux__) && !POOL_ONLY
  find_gomp();
#endif
  // A forked child has none of its parent's threads, and libgomp would wait for them forever.
  pthread_atfork(NULL, NULL, note_fork);
}

int norma_team_default_threads(void) {
  pthread_once(&prepared, prepare);
  return default_threads;
}

static void run_together(const Region *region) {
#if POOL_ONLY
  norma_pool_run(region->body, region->context, region->count);
#elif defined(__APPLE__)
  dispatch_apply_f((size_t)region->count, DISPATCH_APPLY_AUTO, (void *)region, dispatch_share);
#else
  if (gomp_parallel) {
    int members = region->count < max_members ? region->count : max_members;
    gomp_parallel(gomp_share, (void *)region, (unsigned)members, 0);
  } else {
    norma_pool_run(region->body, region->context, region->count);
  }
#endif
}

void norma_team_run(void (*body)(void *context, int index, int count), void *context, int threads) {
  if (threads <= 1) {
    body(context, 0, 1);
    return;
  }
  pthread_once(&prepared, prepare);
  Region region = {body, context, threads};
  if (atomic_load(&forked) || atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
    for (int index = 0; index < threads; index++) body(context, index, threads);
    return;
  }
  run_together(&region);
  atomic_flag_clear_explicit(&busy, memory_order_release);
}

void norma_team_set_library_threads(int threads) {
#if defined(__linux__) && !POOL_ONLY
  pthread_once(&prepared, prepare);
  if (openmp_set_threads) openmp_set_threads(threads < 1 ? 1 : threads);
#else
  (void)threads;
#endif
}
