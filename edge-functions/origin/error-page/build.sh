#!/bin/sh
# Builds index.js, a handler as for Node.js, into function.wasm (12 MB, not kept in the tree). Needs npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/../shims/build.sh" "$here/index.js" "$here/function.wasm"
