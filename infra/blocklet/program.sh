#!/bin/sh
# Runs the hub's program for this machine: sh bin/program.sh migrate --copy
#
# The server starts bin/aigne-hub itself. Were that a script, its process manager
# would run it with node; machine code it starts as it is. So the hook before the
# start, which this is for, puts the machine's program there. In the bundle it is a
# copy of this script.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case $(uname -m) in
x86_64 | amd64) machine=amd64 ;;
aarch64 | arm64) machine=arm64 ;;
*)
    echo "aigne-hub: this bundle has no program for $(uname -m)" >&2
    exit 1
    ;;
esac
program=$here/linux-$machine/aigne-hub
if [ ! "$here/aigne-hub" -ef "$program" ]; then
    new=$here/.aigne-hub.$$
    { ln "$program" "$new" 2>/dev/null || cp -p "$program" "$new"; } && mv -f "$new" "$here/aigne-hub" || exit 1
fi
exec "$program" "$@"
