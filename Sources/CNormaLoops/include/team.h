#pragma once

#pragma clang assume_nonnull begin

/// Runs `body(context, index, count)` once for every `index` in `0 ..< count`, and returns when all
/// of them are done. `count` is `threads`, or 1 if `threads` is smaller.
///
/// The indices are distributed over the one thread team of the process: libgomp's if it is loaded,
/// because oneDNN uses it too and a second team would compete for the same cores; otherwise a few
/// parked threads of Norma's own (always under the thread sanitizer, which does not understand
/// libgomp's barriers); Dispatch on macOS. What an index computes must depend only on the index and
/// on `count`, never on the thread that happens to run it.
///
/// If there are fewer threads than indices, a thread runs several of them, one after another. A
/// region that begins while the team is busy, inside another region or on another calling thread,
/// and every region of a forked child, runs entirely on its caller. So an index must not wait for
/// another. Index 0 runs on the caller, except with Dispatch.
///
/// `threads <= 1` is a plain call. A region costs about one microsecond while the team is awake.
void norma_team_run(
    void (*body)(void *_Nullable context, int index, int count), void *_Nullable context,
    int threads);

/// The number of threads that a region should have: `OMP_NUM_THREADS` if it is a positive number,
/// otherwise the cores this process may use (its affinity, limited by its control group's share of
/// processor time). Read once.
int norma_team_default_threads(void);

/// Lets libraries that use OpenMP, such as oneDNN, use `threads` threads for calls from the calling
/// thread. Does nothing if OpenMP is not loaded.
void norma_team_set_library_threads(int threads);

#pragma clang assume_nonnull end
