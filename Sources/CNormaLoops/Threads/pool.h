// A small team of parked threads, used if there is no OpenMP. One region at a time, which team.c
// ensures.
#pragma once

void norma_pool_run(void (*body)(void *context, int index, int count), void *context, int threads);
