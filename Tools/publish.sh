#!/bin/sh
# Publishes a version: Tools/publish.sh 0.1.0 https://github.com/ACCOUNT/norma
#
# Checks that the tree is clean and that CHANGELOG.md has the version, runs .ci/run, writes the
# repository's address into the documents, commits, tags and pushes. Nothing is pushed when a check
# fails. With --dry-run it stops before the push and leaves commit and tag.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "publish: $1" >&2
  exit 1
}

[ $# -ge 2 ] || fail "say the version and the repository: Tools/publish.sh 0.1.0 https://github.com/ACCOUNT/norma"
version=$1
repository=${2%.git}
dry=${3:-}
[ -z "$dry" ] || [ "$dry" = --dry-run ] || fail "unknown option $dry"
echo "$version" | grep -Eq '^[0-9]+\.[0-9]+\.[0-9]+$' || fail "$version is no version such as 0.1.0"
[ -z "$(git status --porcelain)" ] || fail "the tree has changes that are not committed"
! git rev-parse -q --verify "refs/tags/$version" >/dev/null || fail "the tag $version exists"
grep -q "^## \[$version\] - [0-9-]*$" CHANGELOG.md \
  || fail "CHANGELOG.md has no line '## [$version] - DATE'"
grep -q "from: \"${version%.*}\." README.md || fail "README.md does not name this version"

.ci/run

account=$(basename "$(dirname "$repository")")
for file in README.md .spi.yml docs/*.md Sources/Norma/Norma.docc/*.md; do
  sed -i.old -e "s#https://github.com/OWNER/norma#$repository#g" \
    -e "s#OWNER.github.io#$account.github.io#g" "$file"
  rm -f "$file.old"
done
git diff --quiet || git commit -qam "The address of the repository in the documents"
git tag -a "$version" -m "Norma $version"
if [ -n "$dry" ]; then
  echo "publish: $version is tagged and not pushed"
else
  git push "$repository" HEAD:main "$version"
fi
