// Empty without the package trait, without which nothing calls it.
#if defined(NORMA_MPI)

#include "mpi_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static norma_mpi_group *wrapped(MPI_Comm comm) {
  norma_mpi_group *group = malloc(sizeof *group);
  if (!group) return NULL;
  group->comm = comm;
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  MPI_Comm_rank(comm, &group->rank);
  MPI_Comm_size(comm, &group->count);
  return group;
}

norma_mpi_group *norma_mpi_start(int *threads) {
  int is_started = 0, level = MPI_THREAD_SINGLE;
  MPI_Initialized(&is_started);
  if (is_started) {
    MPI_Query_thread(&level);
  } else if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level) != MPI_SUCCESS) {
    return NULL;
  }
  *threads = level >= MPI_THREAD_SERIALIZED;
  MPI_Comm own;
  if (MPI_Comm_dup(MPI_COMM_WORLD, &own) != MPI_SUCCESS) return NULL;
  return wrapped(own);
}

void norma_mpi_finish(void) {
  int is_over = 0;
  MPI_Finalized(&is_over);
  if (!is_over) MPI_Finalize();
}

void norma_mpi_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

int norma_mpi_rank(const norma_mpi_group *group) { return group->rank; }

int norma_mpi_count(const norma_mpi_group *group) { return group->count; }

void norma_mpi_host(char *name, size_t count) {
  char full[MPI_MAX_PROCESSOR_NAME] = "";
  int length = 0;
  MPI_Get_processor_name(full, &length);
  snprintf(name, count, "%s", full);
}

void norma_mpi_text(int error, char *text, size_t count) {
  char full[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(error, full, &length);
  snprintf(text, count, "%s", full);
}

norma_mpi_group *norma_mpi_split(norma_mpi_group *group, int color) {
  MPI_Comm part;
  norma_mpi_lock();
  const int error = MPI_Comm_split(group->comm, color, group->rank, &part);
  norma_mpi_group *result = error || part == MPI_COMM_NULL ? NULL : wrapped(part);
  norma_mpi_unlock();
  return result;
}

void norma_mpi_free(norma_mpi_group *group) {
  int is_over = 0;
  norma_mpi_lock();
  MPI_Finalized(&is_over);
  if (!is_over) MPI_Comm_free(&group->comm);
  norma_mpi_unlock();
  free(group);
}

enum { question_tag = 1, answer_tag = 2 };

void norma_mpi_answer(norma_mpi_group *group, int64_t (*begun)(int64_t number)) {
  int is_there = 0;
  MPI_Status status;
  norma_mpi_lock();
  MPI_Iprobe(MPI_ANY_SOURCE, question_tag, group->comm, &is_there, &status);
  if (!is_there) {
    norma_mpi_unlock();
    return;
  }
  int64_t number = 0;
  MPI_Recv(
      &number, 1, MPI_INT64_T, status.MPI_SOURCE, question_tag, group->comm, MPI_STATUS_IGNORE);
  const int64_t answer = begun(number);
  // Short messages are buffered: this does not wait for the receiver.
  MPI_Send(&answer, 1, MPI_INT64_T, status.MPI_SOURCE, answer_tag, group->comm);
  norma_mpi_unlock();
}

void norma_mpi_ask(norma_mpi_group *group, int64_t number, double seconds, int64_t *answers) {
  const int n = group->count;
  MPI_Request *requests = malloc(2 * (size_t)n * sizeof *requests);
  int64_t *arrived = malloc(((size_t)n + 1) * sizeof *arrived);
  for (int k = 0; k < n; k++) answers[k] = -1;
  if (!requests || !arrived) {
    free(requests);
    free(arrived);
    return;
  }
  arrived[n] = number;
  norma_mpi_lock();
  for (int k = 0; k < n; k++) {
    arrived[k] = -1;
    requests[2 * k] = requests[2 * k + 1] = MPI_REQUEST_NULL;
    if (k == group->rank) continue;
    MPI_Irecv(&arrived[k], 1, MPI_INT64_T, k, answer_tag, group->comm, &requests[2 * k]);
    MPI_Isend(&arrived[n], 1, MPI_INT64_T, k, question_tag, group->comm, &requests[2 * k + 1]);
  }
  const double end = MPI_Wtime() + seconds;
  norma_mpi_unlock();
  int is_done = 0;
  while (!is_done && MPI_Wtime() < end) {
    is_done = 1;
    norma_mpi_lock();
    for (int k = 0; k < n; k++) {
      int is_here = 1;
      MPI_Test(&requests[2 * k], &is_here, MPI_STATUS_IGNORE);
      if (is_here && k != group->rank) answers[k] = arrived[k];
      is_done = is_done && is_here;
    }
    norma_mpi_unlock();
    norma_mpi_pause(1000);
  }
  // What has not answered may still do so: the memory stays, as the job is about to end.
  if (is_done) {
    free(requests);
    free(arrived);
  }
}

#endif
