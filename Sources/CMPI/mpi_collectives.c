#if defined(NORMA_MPI)

#include "mpi_private.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
// The threads that wait for the lock: whoever holds it for long gives it back for them.
static atomic_int waiting;

void norma_mpi_lock(void) {
  if (pthread_mutex_trylock(&lock) == 0) return;
  atomic_fetch_add(&waiting, 1);
  pthread_mutex_lock(&lock);
  atomic_fetch_sub(&waiting, 1);
}

void norma_mpi_unlock(void) { pthread_mutex_unlock(&lock); }

// The requests of the pieces of one collective.
struct norma_mpi_work {
  int count, error;
  MPI_Request requests[];
};

static MPI_Datatype type_of(int type) {
  switch (type) {
  case NORMA_MPI_INT8: return MPI_INT8_T;
  case NORMA_MPI_UINT8: return MPI_UINT8_T;
  case NORMA_MPI_INT16: return MPI_INT16_T;
  case NORMA_MPI_UINT16: return MPI_UINT16_T;
  case NORMA_MPI_INT32: return MPI_INT32_T;
  case NORMA_MPI_UINT32: return MPI_UINT32_T;
  case NORMA_MPI_INT64: return MPI_INT64_T;
  case NORMA_MPI_UINT64: return MPI_UINT64_T;
  case NORMA_MPI_FLOAT: return MPI_FLOAT;
  default: return MPI_DOUBLE;
  }
}

static int64_t size_of(int type) {
  int size = 0;
  MPI_Type_size(type_of(type), &size);
  return size;
}

static MPI_Op operation_of(int operation) {
  switch (operation) {
  case NORMA_MPI_SUM: return MPI_SUM;
  case NORMA_MPI_PRODUCT: return MPI_PROD;
  case NORMA_MPI_MIN: return MPI_MIN;
  default: return MPI_MAX;
  }
}

// At least one piece, so that a collective without elements is one, too.
static int64_t pieces(int64_t count, int64_t most) {
  return count > most ? (count + most - 1) / most : 1;
}

// Work with the lock, which `started` gives back.
static norma_mpi_work *room(int64_t count) {
  norma_mpi_work *work = malloc(sizeof *work + (size_t)count * sizeof work->requests[0]);
  if (!work) return NULL;
  work->count = 0;
  work->error = MPI_SUCCESS;
  norma_mpi_lock();
  return work;
}

static norma_mpi_work *started(norma_mpi_work *work) {
  norma_mpi_unlock();
  return work;
}

// Keeps the first error.
static void note(norma_mpi_work *work, int error) {
  if (error == MPI_SUCCESS) {
    work->count++;
  } else if (work->error == MPI_SUCCESS) {
    work->error = error;
  }
}

norma_mpi_work *norma_mpi_all_reduce(
    norma_mpi_group *group, const void *from, void *to, int64_t count, int type, int operation,
    int64_t most) {
  norma_mpi_work *work = room(pieces(count, most));
  if (!work) return NULL;
  const int64_t size = size_of(type);
  for (int64_t start = 0; start == 0 || start < count; start += most) {
    const int now = (int)(count - start < most ? count - start : most);
    note(
        work, MPI_Iallreduce(
                  (const char *)from + start * size, (char *)to + start * size, now, type_of(type),
                  operation_of(operation), group->comm, &work->requests[work->count]));
  }
  return started(work);
}

norma_mpi_work *norma_mpi_broadcast(
    norma_mpi_group *group, void *bytes, int64_t count, int root, int64_t most) {
  norma_mpi_work *work = room(pieces(count, most));
  if (!work) return NULL;
  for (int64_t start = 0; start == 0 || start < count; start += most) {
    const int now = (int)(count - start < most ? count - start : most);
    note(
        work, MPI_Ibcast(
                  (char *)bytes + start, now, MPI_BYTE, root, group->comm,
                  &work->requests[work->count]));
  }
  return started(work);
}

norma_mpi_work *norma_mpi_all_gather(
    norma_mpi_group *group, const void *from, void *to, int64_t count, int64_t most) {
  const int64_t each = pieces(count, most);
  norma_mpi_work *work = room(each == 1 ? 1 : each * group->count);
  if (!work) return NULL;
  if (each == 1) {
    note(
        work, MPI_Iallgather(
                  from, (int)count, MPI_BYTE, to, (int)count, MPI_BYTE, group->comm,
                  &work->requests[0]));
    return started(work);
  }
  // The pieces of one process are adjacent in the result, so each process broadcasts its own.
  for (int rank = 0; rank < group->count; rank++) {
    char *own = (char *)to + rank * count;
    if (rank == group->rank) __builtin_memcpy(own, from, (size_t)count);
    for (int64_t start = 0; start < count; start += most) {
      const int now = (int)(count - start < most ? count - start : most);
      note(
          work, MPI_Ibcast(
                    own + start, now, MPI_BYTE, rank, group->comm,
                    &work->requests[work->count]));
    }
  }
  return started(work);
}

norma_mpi_work *norma_mpi_reduce_scatter(
    norma_mpi_group *group, const void *from, void *to, int64_t count, int type, int operation,
    int64_t most) {
  const int64_t each = pieces(count, most), size = size_of(type);
  norma_mpi_work *work = room(each == 1 ? 1 : each * group->count);
  if (!work) return NULL;
  if (each == 1) {
    note(
        work, MPI_Ireduce_scatter_block(
                  from, to, (int)count, type_of(type), operation_of(operation), group->comm,
                  &work->requests[0]));
    return started(work);
  }
  for (int rank = 0; rank < group->count; rank++) {
    for (int64_t start = 0; start < count; start += most) {
      const int now = (int)(count - start < most ? count - start : most);
      note(
          work,
          MPI_Ireduce(
              (const char *)from + (rank * count + start) * size, (char *)to + start * size, now,
              type_of(type), operation_of(operation), rank, group->comm,
              &work->requests[work->count]));
    }
  }
  return started(work);
}

norma_mpi_work *norma_mpi_barrier(norma_mpi_group *group) {
  norma_mpi_work *work = room(1);
  if (!work) return NULL;
  note(work, MPI_Ibarrier(group->comm, &work->requests[0]));
  return started(work);
}

int norma_mpi_sum_now(
    norma_mpi_group *group, const void *from, void *to, int count, int type, int operation) {
  norma_mpi_lock();
  const int error =
      MPI_Allreduce(from, to, count, type_of(type), operation_of(operation), group->comm);
  norma_mpi_unlock();
  return error;
}

void norma_mpi_pause(int microseconds) {
  const struct timespec time = {.tv_nsec = (long)microseconds * 1000};
  nanosleep(&time, NULL);
}

// Tests up to 16 times, or until another thread wants to enter MPI.
static int test(norma_mpi_work *work, int *is_done) {
  int error = MPI_SUCCESS;
  norma_mpi_lock();
  for (int turn = 0; turn < 16 && !*is_done && error == MPI_SUCCESS; turn++) {
    if (turn && atomic_load_explicit(&waiting, memory_order_relaxed)) break;
    error = MPI_Testall(work->count, work->requests, is_done, MPI_STATUSES_IGNORE);
  }
  norma_mpi_unlock();
  return error;
}

int norma_mpi_wait(norma_mpi_work *work, double seconds, int is_patient) {
  int is_done = work->count == 0, error = work->error;
  double start = -1;
  while (!is_done && error == MPI_SUCCESS) {
    error = test(work, &is_done);
    if (is_done || error != MPI_SUCCESS) break;
    if (start < 0) start = MPI_Wtime();
    const double passed = MPI_Wtime() - start;
    if (passed > seconds) return -1;
    // What takes longer than a message waits for work elsewhere, which may need this processor.
    if (is_patient) {
      norma_mpi_pause(50);
    } else if (passed > 0.001 || atomic_load_explicit(&waiting, memory_order_relaxed)) {
      sched_yield();
    }
  }
  free(work);
  return error;
}

#endif
