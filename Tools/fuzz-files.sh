#!/bin/sh
# Fuzzes the readers of files with libFuzzer and the address sanitizer, starting from the fixtures.
# Usage: Tools/fuzz-files.sh [seconds] [reader ...]. Without a reader every input goes to all of
# them; with readers (npy, idx, npz, safetensors, pytorch, state, image, csv, onnx, tokenizer,
# tensor, or `each`) one after the other gets these seconds, and the number of its inputs is printed.
# What it finds stays in Tools/Fuzz/.build/findings.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-300}
[ $# -gt 0 ] && shift
build=Tools/Fuzz/.build
# The compiler's own choice of coverage is one that libFuzzer no longer reads.
swift build --package-path Tools/Fuzz -c release --product FuzzFiles \
  --sanitize fuzzer --sanitize address \
  -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp
mkdir -p "$build/corpus" "$build/findings"
find Tests/NormaFilesTests/Fixtures Tests/NormaModelsTests/Fixtures -type f -size -64k \
  -exec cp {} "$build/corpus" \;
# Inputs pass through a file, which should not touch a disk.
if [ -d /dev/shm ]; then TMPDIR=$(mktemp -d -p /dev/shm); else TMPDIR=$(mktemp -d); fi
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
NORMA_FUZZ_CORPUS=$build/corpus "$build/release/FuzzFiles" -runs=0 >/dev/null 2>&1 || true

run() {
  "$build/release/FuzzFiles" "$@" -artifact_prefix="$build/findings/" \
    -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=4096 -malloc_limit_mb=256 -timeout=60
}

if [ $# -eq 0 ]; then
  run "$build/corpus"
  exit
fi
[ "$1" = each ] && set -- npy idx npz safetensors pytorch state image csv onnx tokenizer tensor
failures=0
for reader in "$@"; do
  mkdir -p "$build/corpus-$reader"
  status=0
  NORMA_FUZZ=$reader run -print_final_stats=1 "$build/corpus-$reader" "$build/corpus" \
    >"$build/$reader.log" 2>&1 || status=$?
  count=$(sed -n 's/^stat::number_of_executed_units: //p' "$build/$reader.log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: //p' "$build/$reader.log")
  echo "$reader: ${count:-unknown} inputs, ${rate:-?} per second, status $status"
  [ "$status" -eq 0 ] || failures=1
done
exit $failures
