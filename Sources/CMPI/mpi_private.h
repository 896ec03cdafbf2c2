#ifndef NORMA_MPI_PRIVATE_H
#define NORMA_MPI_PRIVATE_H

#include "CMPI.h"

#include <mpi.h>

struct norma_mpi_group {
  MPI_Comm comm;
  int rank, count;
};

// Guards MPI.
void norma_mpi_lock(void);
void norma_mpi_unlock(void);

// Sleeps for some microseconds.
void norma_mpi_pause(int microseconds);

#endif
