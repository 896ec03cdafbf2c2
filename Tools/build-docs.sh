#!/bin/sh
# Writes the documentation of all public modules to .build/docs with the toolchain's own docc,
# so that users of the package do not have to resolve a documentation plugin.
set -eu

docc=docc
[ "$(uname -s)" = Darwin ] && docc="xcrun docc"
graphs=.build/symbol-graphs
rm -rf "$graphs"
mkdir -p "$graphs"

swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members >&2
for module in Norma NormaKernels NormaTensor NormaNN NormaFiles NormaExplain; do
  find .build/*/symbolgraph -name "$module.symbols.json" -o -name "$module@*.symbols.json" |
    while read -r graph; do cp "$graph" "$graphs/"; done
done

$docc convert Sources/Norma/Norma.docc \
  --additional-symbol-graph-dir "$graphs" \
  --fallback-display-name Norma --fallback-bundle-identifier norma \
  --warnings-as-errors \
  --output-path .build/docs
echo "documentation: .build/docs (docc preview, or any web server)"
