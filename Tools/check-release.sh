#!/bin/sh
# Checks that a package can depend on a version of Norma by `from:`: clones this commit, tags the
# version of the README there, and builds and runs a program that depends on the clone by it.
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/.*from: "\([0-9.]*\)").*/\1/p' README.md | head -n 1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git clone -q . "$folder/norma"
git -C "$folder/norma" tag "$version"
mkdir -p "$folder/App/Sources/App"
cat >"$folder/App/Package.swift" <<MANIFEST
// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "App",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "file://$folder/norma", from: "$version")],
  targets: [
    .executableTarget(name: "App", dependencies: [.product(name: "Norma", package: "norma")])
  ])
MANIFEST
cat >"$folder/App/Sources/App/main.swift" <<'PROGRAM'
import Norma

manualSeed(0)
print(Tensor.rand(2).array(of: Float.self).count)
PROGRAM
cd "$folder/App"
swift build -c "${1:-debug}"
[ "$(swift run -c "${1:-debug}" --skip-build App)" = 2 ]
echo "release: a package builds and runs with from: \"$version\""
