#!/usr/bin/env bash
# Prints the path of ArcBlock's command line: $BLOCKLET_CLI, the one on the path, or
# one that it installs into a cache. Two of its dependencies fetch prebuilt parts from
# GitHub; here one is replaced by a version that has them inside, the other is
# compiled (needs a C++ compiler, make and python3).
set -euo pipefail
version=1.17.12
if [[ -n ${BLOCKLET_CLI:-} ]]; then
    echo "$BLOCKLET_CLI"
    exit
fi
dir=${XDG_CACHE_HOME:-$HOME/.cache}/aigne-hub-blocklet-cli-$version
cli=$dir/node_modules/.bin/blocklet
if [[ ! -e $dir/.installed ]]; then
    for tool in npm c++ make python3; do
        command -v "$tool" >/dev/null || {
            echo "$tool is not installed: @blocklet/cli cannot be had here" >&2
            exit 3
        }
    done
    mkdir -p "$dir"
    cd "$dir"
    [[ -e package.json ]] || npm init -y >/dev/null
    npm pkg set overrides.sharp=0.33.5 >&2
    npm install "@blocklet/cli@$version" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || {
        echo "@blocklet/cli cannot be fetched here" >&2
        exit 3
    }
    headers=$(node -p 'require("path").resolve(process.execPath, "../..")')
    options=()
    [[ -e $headers/include/node/node.h ]] && options=(--nodedir="$headers")
    (cd node_modules/sqlite3 && npx --no-install node-gyp rebuild "${options[@]}" >&2) || {
        echo "sqlite3, which @blocklet/cli needs, cannot be compiled here" >&2
        exit 3
    }
    touch .installed
fi
echo "$cli"
