#!/bin/sh
# Starts the hub for this machine. exec keeps the process id, so that the server's
# signals reach the program.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case $(uname -m) in
x86_64 | amd64) machine=amd64 ;;
aarch64 | arm64) machine=arm64 ;;
*)
    echo "aigne-hub: this bundle has no program for $(uname -m)" >&2
    exit 1
    ;;
esac
exec "$here/linux-$machine/aigne-hub" "$@"
