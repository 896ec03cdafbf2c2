#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "team.h"

typedef struct {
  void (*body)(void *context, int index, int count);
  void *context;
  int count;
  int members;
  atomic_int pending;
} Region;

/// A thread and its mailbox. `region` changes under the lock and is also polled without it.
typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t posted;
  _Atomic(Region *) region;
  int index;
} Worker;

enum { max_workers = 255, spin_turns = 2000 };

static Worker workers[max_workers];
static int worker_count;  // Changed only by the thread that owns the team.
static pthread_mutex_t done_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

/// Spinning avoids waking threads between consecutive regions; with more threads than cores it
/// would only keep the others from working.
static int spins_for(int members) {
  return members <= norma_team_default_threads() ? spin_turns : 0;
}

static void run_share(const Region *region, int member) {
  for (int index = member; index < region->count; index += region->members) {
    region->body(region->context, index, region->count);
  }
}

static Region *next_region(Worker *worker, int spins) {
  for (int turn = 0; turn < spins; turn++) {
    Region *region = atomic_load_explicit(&worker->region, memory_order_acquire);
    if (region) return region;
    pause_briefly();
  }
  pthread_mutex_lock(&worker->lock);
  Region *region;
  while (!(region = atomic_load_explicit(&worker->region, memory_order_acquire))) {
    pthread_cond_wait(&worker->posted, &worker->lock);
  }
  pthread_mutex_unlock(&worker->lock);
  return region;
}

static void *work(void *argument) {
  Worker *worker = argument;
  int spins = 0;
  for (;;) {
    Region *region = next_region(worker, spins);
    spins = spins_for(region->members);
    run_share(region, worker->index);
    atomic_store_explicit(&worker->region, NULL, memory_order_relaxed);
    // The region is on the caller's stack and may be gone after this subtraction.
    if (atomic_fetch_sub_explicit(&region->pending, 1, memory_order_acq_rel) == 1) {
      pthread_mutex_lock(&done_lock);
      pthread_cond_signal(&done);
      pthread_mutex_unlock(&done_lock);
    }
  }
  return NULL;
}

/// Starts threads until there are `wanted`, or as many as the system allows.
static int available_workers(int wanted) {
  if (wanted > max_workers) wanted = max_workers;
  if (worker_count >= wanted) return wanted;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes)) return worker_count;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  while (worker_count < wanted) {
    Worker *worker = &workers[worker_count];
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->posted, NULL);
    worker->index = worker_count + 1;
    pthread_t thread;
    if (pthread_create(&thread, &attributes, work, worker)) break;
    worker_count++;
  }
  pthread_attr_destroy(&attributes);
  return worker_count;
}

void norma_pool_run(void (*body)(void *context, int index, int count), void *context, int threads) {
  int helpers = available_workers(threads - 1);
  Region region = {body, context, threads, helpers + 1, 0};
  atomic_init(&region.pending, helpers);
  for (int i = 0; i < helpers; i++) {
    Worker *worker = &workers[i];
    pthread_mutex_lock(&worker->lock);
    atomic_store_explicit(&worker->region, &region, memory_order_release);
    pthread_cond_signal(&worker->posted);
    pthread_mutex_unlock(&worker->lock);
  }
  run_share(&region, 0);
  for (int turn = spins_for(helpers + 1); turn > 0; turn--) {
    if (!atomic_load_explicit(&region.pending, memory_order_acquire)) return;
    pause_briefly();
  }
  pthread_mutex_lock(&done_lock);
  while (atomic_load_explicit(&region.pending, memory_order_acquire)) {
    pthread_cond_wait(&done, &done_lock);
  }
  pthread_mutex_unlock(&done_lock);
}
