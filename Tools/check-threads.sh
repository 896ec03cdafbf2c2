#!/bin/sh
# Runs what shares memory between tasks and threads under the thread sanitizer, in a build of its own, and fails on
# any report. Usage: Tools/check-threads.sh [scratch path].
set -eu
cd "$(dirname "$0")/.."
scratch=${1:-.build/threads}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Reports do not end a test, so they are looked for in what it prints. The sanitizer does not see how OpenMP's own
# threads wait for one another, so operations run on the tasks' threads alone.
run() {
  echo "check-threads: $*"
  status=0
  env OMP_NUM_THREADS=1 TSAN_OPTIONS="halt_on_error=0 exitcode=0 suppressions=$PWD/Tools/check-threads.suppressions" "$@" >"$log" 2>&1 || status=$?
  tail -n 3 "$log"
  if grep -A 30 'WARNING: ThreadSanitizer' "$log"; then
    echo "check-threads: the thread sanitizer has reports, see above" >&2
    exit 1
  fi
  [ "$status" = 0 ] || {
    cat "$log"
    exit "$status"
  }
}

# A service with eight tasks, bad requests and cancellation.
run swift run --sanitize thread --scratch-path "$scratch" Serving
# Generators, pending tensors that several tasks read, scopes of errors, kept plans, packed weights, loaders,
# attention, recurrence, repeated calls, and groups of threads that train together.
run swift test --sanitize thread --scratch-path "$scratch" \
  --filter 'DefaultGeneratorTests|SharingTests|ErrorScopeTests|PlanCacheTests|ServingTests/cancellation|DataLoaderTests|StreamLoaderTests|SnapshotTests|ModuleTests|PendingConvolutionTests|AttentionTests|AttentionDropoutTests|KeyValueCacheTests|RecurrenceTests|KernelSequenceTests|RepeatedCallsTests|WinogradTests|NormaDistributedTests'
echo "threads: no reports"
