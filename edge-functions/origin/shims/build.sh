#!/bin/sh
# Builds a Node-style handler into a component: build.sh HANDLER.js OUT.wasm
#
# Needs Node.js 20 or later and npm. The tools are pinned by package.json beside this file, and are installed once in the
# folder that RIMWARD_JS_TOOLS names, by default in the user's cache.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: build.sh HANDLER.js OUT.wasm" >&2
  exit 2
fi
for tool in node npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "error: $tool is needed to build a JavaScript handler into a component" >&2
    exit 1
  fi
done

shims=$(cd "$(dirname "$0")" && pwd)
handler=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
mkdir -p "$(dirname "$2")"
out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
tools=${RIMWARD_JS_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/rimward/js-tools}

mkdir -p "$tools"
if ! cmp -s "$shims/package.json" "$tools/node_modules/.installed-for"; then
  cp "$shims/package.json" "$tools/"
  npm install --prefix "$tools" --no-package-lock --no-fund --no-audit --loglevel=error
  cp "$shims/package.json" "$tools/node_modules/.installed-for"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/wit/deps/edge"
cp -R "$shims/wit/." "$work/wit/"
cp "$shims/../../../crates/sandbox/wit/edge.wit" "$work/wit/deps/edge/"

"$tools/node_modules/.bin/esbuild" "$shims/node.js" --bundle --format=esm --platform=neutral --target=es2022 \
  --main-fields=module,main --external:'wasi:*' --alias:rimward:handler="$handler" \
  --log-level=warning --log-override:import-is-undefined=silent --outfile="$work/bundle.js"
"$tools/node_modules/.bin/componentize-js" "$work/bundle.js" -w "$work/wit" -n node-function -o "$work/function.wasm"
mv "$work/function.wasm" "$out"
echo "$out ($(wc -c <"$out" | tr -d ' ') bytes)"
