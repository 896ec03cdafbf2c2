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
for module in Norma NormaValues NormaRandom NormaTensor NormaNN NormaFiles NormaExplain \
  NormaModels NormaONNX NormaDistributed; do
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

# DOCS_BASE is the path under which the pages will be served: "norma" for OWNER.github.io/norma.
$docc convert Sources/Norma/Norma.docc \
  --additional-symbol-graph-dir "$graphs" \
  --fallback-display-name Norma --fallback-bundle-identifier norma \
  --transform-for-static-hosting --hosting-base-path "${DOCS_BASE:-/}" \
  --warnings-as-errors \
  --output-path .build/docs
python3 Tools/check-documentation.py .build/docs

# The root has no page of its own: it leads to the front page of the documentation.
cat >.build/docs/index.html <<'PAGE'
<!doctype html>
<meta charset="utf-8">
<title>Norma</title>
<meta http-equiv="refresh" content="0; url=documentation/norma/">
<a href="documentation/norma/">Norma: documentation</a>
PAGE
echo "documentation: .build/docs; make docs-open shows it"
