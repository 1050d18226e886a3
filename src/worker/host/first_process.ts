/**
 * The manager as the first process of a container, whose processes without a parent become its children. Deno collects none
 * that it has not started itself: they would stay as zombies. So another program becomes their parent (a child subreaper,
 * prctl(2)) and that of the manager proper, collects them, and passes on signals and the exit status.
 */

import { printMessage } from "./log.ts";
import { sendSignal } from "./processes.ts";
import { ownProgram } from "./program.ts";

/** The exit status of a reaper that cannot be one. */
const unable = 126;

const passedOn = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;

/** PR_SET_CHILD_SUBREAPER of prctl(2), whose number perl has to be told (syscalls(2)). */
const perl = `my $prctl = shift;
syscall($prctl, 36, 1, 0, 0, 0) == 0 && defined(my $manager = fork) or exit ${unable};
exec { $ARGV[0] } @ARGV or exit 127 unless $manager;
for my $name (qw(TERM INT HUP QUIT)) { $SIG{$name} = sub { kill $name, $manager } }
while ((my $pid = wait) != -1) { exit($? & 127 ? 128 + ($? & 127) : $? >> 8) if $pid == $manager }`;
const python = `import ctypes, os, signal, sys
if ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) != 0: sys.exit(${unable})
manager = os.fork()
if manager == 0: os.execv(sys.argv[1], sys.argv[1:])
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, lambda number, _: os.kill(manager, number))
while True:
    pid, status = os.wait()
    if pid == manager: sys.exit(128 + (status & 127) if status & 127 else status >> 8)`;

/** The manager's exit status, where this process has only run it; undefined where this process is to be the manager. */
export async function runBelowReaper(): Promise<number | undefined> {
  if (Deno.build.os !== "linux" || Deno.pid !== 1) return undefined;
  const { command, args } = ownProgram();
  const manager = [command, ...args, ...Deno.args];
  const prctl = Deno.build.arch === "x86_64" ? "157" : "167";
  for (const reaper of [["perl", "-e", perl, prctl], ["python3", "-c", python]]) {
    const status = await run([...reaper, ...manager]);
    if (status !== unable) return status;
  }
  printMessage(
    "queuectl is process 1 here, and cannot collect what commands leave behind: start the container with an init, as by docker run --init",
  );
}

async function run([command, ...args]: string[]): Promise<number> {
  let child: Deno.ChildProcess;
  try {
    // In a session of its own: Ctrl-C comes once, from here.
    child = new Deno.Command(command, { args, detached: true, stdin: "inherit" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return unable;
    throw error;
  }
  const handlers = passedOn.map((signal) => [signal, () => void sendSignal(child.pid, signal)] as const);
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  const { code } = await child.status;
  for (const [signal, handler] of handlers) Deno.removeSignalListener(signal, handler);
  return code;
}
