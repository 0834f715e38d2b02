#!/usr/bin/env bash
# Packs a staged folder: a bundle to deploy from disk, and a release to install from
# a URL, in its .blocklet. Of the command line's ways only --simple takes programs
# that are no scripts; it packs the whole folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stage=$1
cli=$("$here/cli.sh")
rm -rf "$stage/.blocklet"
cd "$stage"
said=$(HOME=${BLOCKLET_HOME:-$HOME} "$cli" bundle --simple --create-release 2>&1) || {
    printf '%s\n' "$said" >&2
    exit 1
}
for made in .blocklet/bundle/blocklet.yml .blocklet/release/blocklet.json; do
    [[ -e $made ]] || {
        printf '%s\n' "$said" "there is no $made" >&2
        exit 1
    }
done
