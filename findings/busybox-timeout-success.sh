#!/bin/bash
# busybox timeout: a command that ran out of time counts as a success when it tidies up
#
# Versions: busybox-static 1:1.35.0-4+deb12u1+b1 (Debian 12), beside coreutils 9.1 of the same system.
#
# Behaviour: `busybox timeout 1 COMMAND` sends TERM after a second, and its own exit status is that of the command, 143
# where TERM ended it. A command that handles TERM and ends with 0 makes `busybox timeout` end with 0: nothing tells that
# the time was over. `timeout` of coreutils ends with 124 in both cases.
#
# Why one would guess otherwise: both are called timeout and take the same arguments, and scripts ask for 124. Programs
# that shut down cleanly on TERM and then report success are the well-behaved ones; with busybox exactly those look as if
# they had done their work. The help of busybox says nothing of the exit status.
#
# Seen:
#   coreutils: ended by TERM 124, handles TERM 124
#   busybox:   ended by TERM 143, handles TERM 0
#
# Exits 1 where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq busybox-static=1:1.35.0-4+deb12u1+b1
dpkg -x busybox-static_*.deb .

# Ends with 0 when it is asked to end.
tidy="trap 'kill \$!; exit 0' TERM; sleep 30 & wait"
status() { "$@" >/dev/null 2>&1 && echo 0 || echo $?; }
coreutils=("$(status timeout 1 sleep 30)" "$(status timeout 1 sh -c "$tidy")")
busybox=("$(status bin/busybox timeout 1 sleep 30)" "$(status bin/busybox timeout 1 sh -c "$tidy")")
echo "coreutils: ended by TERM ${coreutils[0]}, handles TERM ${coreutils[1]}"
echo "busybox:   ended by TERM ${busybox[0]}, handles TERM ${busybox[1]}"
[ "${coreutils[*]} ${busybox[*]}" = "124 124 143 0" ]
