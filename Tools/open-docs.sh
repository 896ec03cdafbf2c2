#!/bin/sh
# Serves .build/docs on this machine and opens it in a browser. PORT says where, 8000 by default.
set -eu

port=${PORT:-8000}
url=http://localhost:$port/documentation/norma/
if [ ! -f .build/docs/index.html ]; then
  echo "norma: there is no documentation yet; make docs writes it" >&2
  exit 1
fi
echo "documentation: $url (Ctrl-C ends)"
case "$(uname -s)" in
  Darwin) opener=open ;;
  *) opener=xdg-open ;;
esac
if command -v "$opener" >/dev/null 2>&1; then
  (sleep 1 && "$opener" "$url") >/dev/null 2>&1 &
fi
exec python3 -m http.server "$port" --bind localhost --directory .build/docs
