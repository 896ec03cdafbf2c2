// A small team of parked threads, for where there is no OpenMP. One region at a time: team.c
// sees to it.
#pragma once

void norma_pool_run(void (*body)(void *context, int index, int count), void *context, int threads);
