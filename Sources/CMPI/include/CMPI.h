#ifndef NORMA_MPI_H
#define NORMA_MPI_H

#include <stddef.h>
#include <stdint.h>

// Groups of processes over MPI, which hides its types and constants: they are macros, and differ
// between implementations. Collectives are started and then waited for, so that a process that
// never arrives is found after a time. Counts are 64 bits: what is longer than `most` elements is
// done in pieces. Several threads may call these functions: a lock lets one of them into MPI at a
// time, as implementations lose messages otherwise.

typedef struct norma_mpi_group norma_mpi_group;
typedef struct norma_mpi_work norma_mpi_work;

enum { NORMA_MPI_SUM, NORMA_MPI_PRODUCT, NORMA_MPI_MIN, NORMA_MPI_MAX };

enum {
  NORMA_MPI_INT8,
  NORMA_MPI_UINT8,
  NORMA_MPI_INT16,
  NORMA_MPI_UINT16,
  NORMA_MPI_INT32,
  NORMA_MPI_UINT32,
  NORMA_MPI_INT64,
  NORMA_MPI_UINT64,
  NORMA_MPI_FLOAT,
  NORMA_MPI_DOUBLE,
};

// Starts MPI, once for a process; returns the group of all processes, or NULL. `threads` becomes
// whether several threads may use it.
norma_mpi_group *norma_mpi_start(int *threads);
void norma_mpi_finish(void);
// Ends the processes of the job.
void norma_mpi_abort(int status);

int norma_mpi_rank(const norma_mpi_group *group);
int norma_mpi_count(const norma_mpi_group *group);
// The name of this process's host.
void norma_mpi_host(char *name, size_t count);
// The text of an error.
void norma_mpi_text(int error, char *text, size_t count);

// The members with the same color, in the order of ranks; called by all. NULL after an error.
norma_mpi_group *norma_mpi_split(norma_mpi_group *group, int color);
void norma_mpi_free(norma_mpi_group *group);

// Starts a collective; NULL if there is no memory. Memory must stay until it is done.
norma_mpi_work *norma_mpi_all_reduce(
    norma_mpi_group *group, const void *from, void *to, int64_t count, int type, int operation,
    int64_t most);
// `count` bytes of each process; `to` has space for those of all.
norma_mpi_work *norma_mpi_all_gather(
    norma_mpi_group *group, const void *from, void *to, int64_t count, int64_t most);
// `count` elements for each process; `from` has those of all.
norma_mpi_work *norma_mpi_reduce_scatter(
    norma_mpi_group *group, const void *from, void *to, int64_t count, int type, int operation,
    int64_t most);
norma_mpi_work *norma_mpi_broadcast(
    norma_mpi_group *group, void *bytes, int64_t count, int root, int64_t most);
norma_mpi_work *norma_mpi_barrier(norma_mpi_group *group);

// Waits. Returns 0 when it is done, -1 when the time is over, or an error; `work` is released
// unless the time is over. A patient wait leaves the processor to others.
int norma_mpi_wait(norma_mpi_work *work, double seconds, int is_patient);

// MPI's own blocking sum, for comparison. Returns 0 or an error.
int norma_mpi_sum_now(
    norma_mpi_group *group, const void *from, void *to, int count, int type, int operation);

// Answers one question of another process, if there is one: how many calls of the group with this
// number this process has begun.
void norma_mpi_answer(norma_mpi_group *group, int64_t (*begun)(int64_t number));
// Asks all processes this question; what has not answered in time gets -1.
void norma_mpi_ask(norma_mpi_group *group, int64_t number, double seconds, int64_t *answers);

#endif
