#pragma once

/// The instruction set that the inner loops use: 0 is the compiler's baseline, 1 is x86-64-v3
/// (AVX2), 2 is x86-64-v4 (AVX-512). Processors of other families are always at 0.
///
/// A level affects only speed: every loop gives the same bits on all of them.
int norma_loops_level(void);

/// The highest level that this processor has. Detected once.
int norma_loops_best_level(void);

/// Makes the loops use `level`, clamped to `0 ... norma_loops_best_level()`. For tests and
/// measurements; affects the whole process.
void norma_loops_select(int level);
