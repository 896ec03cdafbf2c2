#!/bin/sh
# Compiles the C loops for arm64, runs them under qemu, and compares the bits with this machine's.
# Needs clang (of the Swift toolchain), gcc-aarch64-linux-gnu and qemu-user; Debian and Ubuntu have them.
set -eu
cd "$(dirname "$0")/.."

for tool in clang aarch64-linux-gnu-gcc qemu-aarch64; do
  if ! command -v "$tool" >/dev/null; then
    echo "check-arm: $tool is missing: apt-get install gcc-aarch64-linux-gnu qemu-user" >&2
    exit 1
  fi
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
includes=$(find Sources/CNormaLoops -type d | sed 's/^/-I /' | tr '\n' ' ')
flags="-O2 -Wall -Werror -ffp-contract=off -pthread $includes"

# Each file by itself, two at a time.
find Sources/CNormaLoops -name '*.c' | sort >"$folder/files"
echo Tools/Arm/loops.c >>"$folder/files"
mkdir "$folder/arm" "$folder/here"
xargs -P 2 -I FILE sh -c "clang --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include $flags \
  -c FILE -o $folder/arm/\$(basename FILE .c)-\$(echo FILE | cksum | cut -d' ' -f1).o" <"$folder/files"
xargs -P 2 -I FILE sh -c "clang $flags \
  -c FILE -o $folder/here/\$(basename FILE .c)-\$(echo FILE | cksum | cut -d' ' -f1).o" <"$folder/files"
aarch64-linux-gnu-gcc -static "$folder"/arm/*.o -o "$folder/loops-arm" -lm -pthread
clang "$folder"/here/*.o -o "$folder/loops-here" -lm -ldl -pthread

"$folder/loops-here" >"$folder/here.txt"
qemu-aarch64 "$folder/loops-arm" >"$folder/arm.txt"
if ! diff "$folder/here.txt" "$folder/arm.txt" >"$folder/differences"; then
  head -n 40 "$folder/differences"
  echo "check-arm: $(grep -c '^<' "$folder/differences") of $(wc -l <"$folder/here.txt") results differ" >&2
  exit 1
fi
echo "arm64: $(wc -l <"$folder/arm.txt") results have the bits of $(uname -m)"
