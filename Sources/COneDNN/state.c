#if defined(NORMA_ONEDNN)

#include "state.h"

#include <pthread.h>

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static dnnl_engine_t engine;

static void free_thread_state(void *argument) {
  ThreadState *state = argument;
  if (state->stream) dnnl_stream_destroy(state->stream);
  free(state->workspace);
  free(state);
}

static void prepare(void) {
  if (pthread_key_create(&thread_key, free_thread_state)) return;
  if (dnnl_engine_create(&engine, dnnl_cpu, 0)) engine = NULL;
}

dnnl_engine_t norma_engine(void) {
  pthread_once(&prepared, prepare);
  return engine;
}

ThreadState *norma_thread_state(void) {
  if (!norma_engine()) return NULL;
  ThreadState *state = pthread_getspecific(thread_key);
  if (state) return state;
  state = calloc(1, sizeof *state);
  if (!state) return NULL;
  if (dnnl_stream_create(&state->stream, engine, dnnl_stream_default_flags) ||
      pthread_setspecific(thread_key, state)) {
    free_thread_state(state);
    return NULL;
  }
  return state;
}

void *norma_workspace(ThreadState *state, size_t bytes) {
  if (bytes <= state->capacity) return state->workspace;
  free(state->workspace);
  state->workspace = NULL;
  state->capacity = 0;
  if (posix_memalign(&state->workspace, 4096, bytes)) return NULL;
  state->capacity = bytes;
  return state->workspace;
}

#endif
