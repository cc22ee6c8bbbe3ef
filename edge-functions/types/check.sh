#!/bin/sh
# Checks the declarations, and the functions of this source tree with them: check.sh
#
# Needs Node.js and npm. The compiler is pinned by package.json beside this file, and is installed once in the folder that
# RIMWARD_TYPES_TOOLS names, by default in the user's cache.
set -eu

for tool in node npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "error: $tool is needed to check the TypeScript declarations" >&2
    exit 1
  fi
done

types=$(cd "$(dirname "$0")" && pwd)
tools=${RIMWARD_TYPES_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/rimward/types-tools}

mkdir -p "$tools"
if ! cmp -s "$types/package.json" "$tools/node_modules/.installed-for"; then
  cp "$types/package.json" "$tools/"
  npm install --prefix "$tools" --no-package-lock --no-fund --no-audit --loglevel=error
  cp "$types/package.json" "$tools/node_modules/.installed-for"
fi

"$tools/node_modules/.bin/tsc" --project "$types/tsconfig.json"
echo "the declarations and the functions agree"
