#!/bin/sh
# Builds a package that depends on Norma without its traits, runs its programs, and checks that they
# link none of the libraries behind the traits, that what needs one of them is an error with the
# trait's name, and that swift-argument-parser was not fetched. Each program imports its product alone,
# which brings the names below it. One of them has a network in a module that belongs to the main actor.
set -eu
cd "$(dirname "$0")/.."
package=Tools/Dependents

fail() {
  echo "check-dependents: $*" >&2
  exit 1
}

swift build --package-path "$package"
bin=$(swift build --package-path "$package" --show-bin-path)
[ ! -d "$package/.build/checkouts/swift-argument-parser" ] || fail "swift-argument-parser was fetched"

linked() {
  if [ "$(uname -s)" = Darwin ]; then otool -L "$1"; else ldd "$1"; fi
}
for program in Tensors Files Isolated; do
  for library in libdnnl libpng libjpeg libz; do
    ! linked "$bin/$program" | grep -E "$library[0-9]*[.]" || fail "$program links $library"
  done
done

found=$("$bin/Tensors")
[ "$found" = "[7.0, 10.0, 15.0, 22.0] 2.5 float16 0" ] || fail "Tensors printed: $found"
found=$("$bin/Isolated")
[ "$found" = "[1, 2] 2" ] || fail "Isolated printed: $found"
found=$("$bin/Files" Tests/NormaFilesTests/Fixtures)
wanted='["a", "b/c"]
3 tensors
deflated.npz unsupported: compressed files need the package trait Compression, which this build of Norma is without
one.npy.gz unsupported: compressed files need the package trait Compression, which this build of Norma is without
gray.jpg unsupported: JPEG images need the package trait JPEG, which this build of Norma is without
png unsupported: PNG images need the package trait PNG, which this build of Norma is without
write unsupported: compressed files need the package trait Compression, which this build of Norma is without'
[ "$found" = "$wanted" ] || fail "Files printed:
$found"
echo "dependents: no library of a trait is linked, and errors name the traits"
