// What every call needs: the engine, and the state that a thread keeps between calls.
#pragma once

#include "descriptors.h"

// A stream belongs to one thread at a time; the workspace grows to the largest size needed.
typedef struct {
  dnnl_stream_t stream;
  void *workspace;
  size_t capacity;
} ThreadState;

// The engine of the process; NULL if there is none.
dnnl_engine_t norma_engine(void);

// NULL if there is no memory.
ThreadState *norma_thread_state(void);

// Page-aligned memory that the next call of the thread may overwrite; NULL if there is none.
void *norma_workspace(ThreadState *state, size_t bytes);
