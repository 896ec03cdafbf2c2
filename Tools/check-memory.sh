#!/bin/sh
# Runs recorded calls of PyTorch, the operations of the benchmark, a service, and the tests of readers,
# attention, recurrence and process groups under the address sanitizer, in a build of its own; the
# first report ends it.
# Usage: Tools/check-memory.sh [scratch path].
set -eu
cd "$(dirname "$0")/.."
scratch=${1:-.build/memory}
# What lives until the process ends, such as kept plans, is not a leak.
export ASAN_OPTIONS=detect_leaks=0

run() {
  echo "check-memory: $*"
  swift run --sanitize address --scratch-path "$scratch" "$@"
}

run conformance Tests/Fixtures/torch
run norma bench --quick --catalogue
run Serving
echo "check-memory: tests"
swift test --sanitize address --scratch-path "$scratch" \
  --filter 'NormaFilesTests|NormaONNXTests|NormaModelsTests|NormaDistributedTests|AttentionTests|AttentionDropoutTests|KeyValueCacheTests|RecurrenceTests|RecurrentLayerTests|KernelSequenceTests|WinogradTests'
echo "memory: no reports"
