#!/bin/bash
# task-spooler: a job that a signal ended cannot be told from one that exits with 255
#
# Versions: task-spooler 1.0.1+dfsg1-1 (Debian 12).
#
# Behaviour: `tsp -w` ends with the exit status of the job. For a job that a signal ended it ends with 255, and the list
# has -1 for it, the same for KILL, SEGV and TERM. A job that exits with 255 itself looks the same in both.
#
# Why one would guess otherwise: every shell tells 128 + n, and a script that waits for a job asks for 137 (out of memory)
# or 143 (ended on purpose) to decide whether to try again. With 255 it cannot tell a crash from ssh's "no connection",
# which is 255 too.
#
# Seen:
#   KILL: wait 255, list -1
#   SEGV: wait 255, list -1
#   exit 255: wait 255, list -1
#
# Exits 1 where that has changed.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
export TS_SOCKET=$folder/socket TMPDIR=$folder
trap '"$folder/usr/bin/tsp" -K || true; rm -rf "$folder"' EXIT
apt-get download -qq task-spooler=1.0.1+dfsg1-1
dpkg -x task-spooler_*.deb .

# What `tsp` makes of a command: the exit status of who waits for the last one, and the fourth column of the list.
result() {
  local status=0
  usr/bin/tsp -n sh -c "$1" >/dev/null
  usr/bin/tsp -w >/dev/null || status=$?
  echo "wait $status, list $(usr/bin/tsp -l | awk '{ level = $4 } END { print level }')"
}
kill=$(result 'kill -KILL $$') segv=$(result 'kill -SEGV $$') own=$(result 'exit 255')
printf '%s\n' "KILL: $kill" "SEGV: $segv" "exit 255: $own"
[ "$kill/$segv/$own" = "wait 255, list -1/wait 255, list -1/wait 255, list -1" ]
