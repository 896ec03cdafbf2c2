// What every call needs: the engine, and what a thread keeps between calls.
#pragma once

#include "descriptors.h"

// A stream belongs to one thread at a time; the workspace grows to the largest that was needed.
typedef struct {
  dnnl_stream_t stream;
  void *workspace;
  size_t capacity;
} ThreadState;

// The engine of the process; NULL where there is none.
dnnl_engine_t norma_engine(void);

// NULL where there is no memory.
ThreadState *norma_thread_state(void);

// Memory of a page's alignment that the next call of the thread may overwrite; NULL where there is
// none.
void *norma_workspace(ThreadState *state, size_t bytes);
