#!/bin/sh
# Starts the server as a program, asks it with curl, and ends it with SIGTERM, after which its status must be 0 within
# seconds. Usage: Examples/Server/check.sh [checkpoint of norma train].
set -eu
cd "$(dirname "$0")"
fixtures=Tests/ClassifierServerTests/Fixtures
checkpoint=${1:-$fixtures/trained.safetensors}

swift build --product norma-server
server=$(swift build --show-bin-path)/norma-server
scratch=$(mktemp -d)
"$server" --checkpoint "$checkpoint" --port 0 >"$scratch/out" 2>"$scratch/err" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$scratch"' EXIT

fail() {
  echo "check: $*" >&2
  cat "$scratch/err" >&2
  exit 1
}

# Waits for the line with the address, for at most ten seconds.
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^listening at //p' "$scratch/out")
  [ -z "$url" ] || break
  kill -0 "$pid" 2>/dev/null || fail "the server ended at once"
  sleep 0.1
done
[ -n "$url" ] || fail "the server does not listen"

# ask STATUS TEXT ARGUMENTS...: curl with the arguments gets the status, and an answer with the text.
ask() {
  status=$1 text=$2
  shift 2
  found=$(curl --silent --show-error --max-time 10 --output "$scratch/answer" \
    --write-out '%{http_code}' "$@") || fail "curl $*"
  [ "$found" = "$status" ] || fail "$*: status $found: $(cat "$scratch/answer")"
  grep -qF -- "$text" "$scratch/answer" || fail "$*: $(cat "$scratch/answer")"
}

head -c 200 "$fixtures/trouser.png" >"$scratch/half.png"
head -c 1000000 /dev/zero >"$scratch/large"
ask 200 ok "$url/health"
ask 200 '"class":' --data-binary "@$fixtures/trouser.png" "$url/classify"
ask 200 '"class":' --data-binary "@$fixtures/trouser.jpg" "$url/classify"
ask 400 'is not a valid PNG image' --data-binary "@$scratch/half.png" "$url/classify"
ask 400 'has 3 numbers' --data-binary '[1, 2, 3]' "$url/classify"
ask 413 'Content Too Large' --data-binary "@$scratch/large" "$url/classify"
ask 404 'Not Found' "$url/nowhere"
ask 200 'norma_requests_total{status="400"} 2' "$url/metrics"

kill -TERM "$pid"
for _ in $(seq 60); do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
! kill -0 "$pid" 2>/dev/null || fail "the server still runs six seconds after SIGTERM"
status=0
wait "$pid" || status=$?
[ "$status" = 0 ] || fail "the server ended with status $status after SIGTERM"
echo "check: the server answers, and ends with status 0 after SIGTERM"
