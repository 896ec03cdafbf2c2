#!/bin/sh
# Fuzzes the readers of files with libFuzzer and the address sanitizer, starting from the fixtures.
# Usage: Tools/fuzz-files.sh [seconds]. What it finds stays in Tools/Fuzz/.build/findings.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-300}
build=Tools/Fuzz/.build
# The compiler's own choice of coverage is one that libFuzzer no longer reads.
swift build --package-path Tools/Fuzz -c release --product FuzzFiles \
  --sanitize fuzzer --sanitize address \
  -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp
mkdir -p "$build/corpus" "$build/findings"
cp Tests/NormaFilesTests/Fixtures/* "$build/corpus"
# Inputs pass through a file, which should not touch a disk.
if [ -d /dev/shm ]; then TMPDIR=$(mktemp -d -p /dev/shm); else TMPDIR=$(mktemp -d); fi
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
"$build/release/FuzzFiles" "$build/corpus" -artifact_prefix="$build/findings/" \
  -max_total_time="$seconds" -max_len=2048 -rss_limit_mb=4096 -malloc_limit_mb=256 -timeout=10
