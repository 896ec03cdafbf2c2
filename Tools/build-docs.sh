#!/bin/sh
# Writes the documentation of all public modules to .build/docs with the toolchain's own docc,
# so that users of the package do not have to resolve a documentation plugin.
set -eu

docc=docc
[ "$(uname -s)" = Darwin ] && docc="xcrun docc"
graphs=.build/symbol-graphs
rm -rf "$graphs"
mkdir -p "$graphs"

swift build >&2
# The command wants graphs of test bundles too, which only `swift test` builds, and fails where
# there are none. So what counts is that the graphs of the public modules are there.
rm -rf .build/*/symbolgraph
swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members \
  >.build/symbol-graphs.log 2>&1 || true
for module in Norma NormaValues NormaRandom NormaTensor NormaNN NormaFiles NormaExplain; do
  if ! ls .build/*/symbolgraph/$module.symbols.json >/dev/null 2>&1; then
    cat .build/symbol-graphs.log >&2
    echo "norma: there is no symbol graph of $module" >&2
    exit 1
  fi
  cp .build/*/symbolgraph/$module.symbols.json "$graphs/"
  for graph in .build/*/symbolgraph/$module@*.symbols.json; do
    [ ! -f "$graph" ] || cp "$graph" "$graphs/"
  done
done

$docc convert Sources/Norma/Norma.docc \
  --additional-symbol-graph-dir "$graphs" \
  --fallback-display-name Norma --fallback-bundle-identifier norma \
  --warnings-as-errors \
  --output-path .build/docs
echo "documentation: .build/docs (docc preview, or any web server)"
