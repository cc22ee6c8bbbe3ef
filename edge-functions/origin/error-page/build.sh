#!/bin/sh
# Builds index.js, a handler as for Node.js, into a component: build.sh [OUT.wasm], by default function.wasm beside this
# file (12 MB, not kept in the tree). Needs npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../shims/build.sh" "$here/index.js" "${1:-$here/function.wasm}"
