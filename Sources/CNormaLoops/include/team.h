#pragma once

#pragma clang assume_nonnull begin

/// Runs `body(context, index, count)` once for every `index` in `0 ..< count`, and returns when
/// all of them are done. `count` is `threads`, or 1 where `threads` is smaller.
///
/// The indices are shared by the threads of the process's one team: libgomp's where it is loaded,
/// because oneDNN computes there too and a second team beside it would fight for the same cores;
/// else a few parked threads of Norma's own (always so under the thread sanitizer, which knows
/// nothing of libgomp's barriers); Dispatch on macOS. What an index computes must depend on the
/// index and on `count` alone, never on the thread that happens to run it.
///
/// Where there are fewer threads than indices a thread runs several of them, one after another.
/// A region that begins while the team is busy, inside another region or on another calling
/// thread, and every region of a forked child, runs on its caller alone. So an index must not wait
/// for another. Index 0 runs on the caller, except with Dispatch.
///
/// `threads <= 1` is a plain call. A region costs about one microsecond while the team is awake.
void norma_team_run(
    void (*body)(void *_Nullable context, int index, int count), void *_Nullable context,
    int threads);

/// The number of threads that a region should have: `OMP_NUM_THREADS` where it is a positive
/// number, else the cores this process may use (its affinity, bounded by its control group's
/// share of processor time). Read once.
int norma_team_default_threads(void);

/// Lets libraries that compute with OpenMP, such as oneDNN, use `threads` threads for what the
/// calling thread asks of them. Nothing where OpenMP is not loaded.
void norma_team_set_library_threads(int threads);

#pragma clang assume_nonnull end
