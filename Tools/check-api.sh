#!/bin/sh
# Looks for changes of the public interface that break programs written for a release.
# Usage: Tools/check-api.sh [tag]; the last one by default. Without any tag there is nothing to
# compare with.
set -eu
cd "$(dirname "$0")/.."
tag=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if [ -z "$tag" ]; then
  echo "api: there is no release to compare with"
  exit 0
fi
swift package diagnose-api-breaking-changes "$tag"
