/** Which processes there are, which are gone, and how a command's whole tree is ended. */

import type { ProcessIdentity, RegisteredProcess } from "../store/store.ts";
import { type Invocation, type Marks, platformFor, type ProcessEntry, type Snapshot } from "./platform.ts";

const platform = platformFor(Deno.build.os);

/** A runner or, on Windows, the outer `cmd.exe` of a command: the process that all of a command's are below. */
export interface RunnerIdentity {
  pid: number;
  start: string;
}

/** Looks at all processes of this host, and into their environments for the marks. Throws when that is not possible. */
export async function takeSnapshot(marks: Marks | null = null): Promise<Snapshot> {
  return read(await (marks ? lookForMarks() : look(platform.snapshotInvocation(false))), marks);
}

/** The identity of this process, with the least work. Throws when it cannot be known. */
export async function identify(): Promise<ProcessIdentity> {
  return ownIdentity(read(await look(platform.processInvocation(Deno.pid)), null));
}

/**
 * Whether this process was started to ignore HUP, as by `nohup`; to be asked before it listens to any signal. Told by a shell,
 * which inherits it: one that ignores a signal from the start cannot trap it (POSIX, `trap`).
 */
export async function isHangUpIgnored(): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  const script = "queuectl_hup=ignored; trap queuectl_hup= HUP; kill -HUP $$; echo end $queuectl_hup";
  const text = await look({ command: "/bin/sh", args: ["-c", script] });
  if (!text.startsWith("end")) throw new Error("Whether HUP is ignored cannot be told");
  return text.trim() === "end ignored";
}

function read(text: string, marks: Marks | null): Snapshot {
  const snapshot = platform.parseSnapshot(text, marks);
  if (!snapshot?.processes.has(Deno.pid)) throw new Error("The list of processes is not complete");
  return snapshot;
}

async function look({ command, args }: Invocation): Promise<string> {
  // A process that ends meanwhile makes `cat` and `grep` complain and fail; what they print is what counts.
  const { stdout } = await new Deno.Command(command, { args, stdin: "null", stdout: "piped", stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

let present: Promise<unknown> = Promise.resolve();
let next: Promise<string> | undefined;

/**
 * One look after another, each for all who have asked before it began: hundreds of commands that are ended at once would
 * else need hundreds of looks, each time.
 */
function lookForMarks(): Promise<string> {
  return next ??= present.then(() => {
    next = undefined;
    const looking = look(platform.snapshotInvocation(true));
    present = looking.catch(() => {});
    return looking;
  });
}

/** The name of this host in {@link ProcessIdentity}: with the pid namespace, outside of which nothing can be seen. */
export function hostName(snapshot: Snapshot): string {
  return snapshot.namespace === "" ? Deno.hostname() : `${Deno.hostname()}/${snapshot.namespace}`;
}

/** The identity of this process. */
export function ownIdentity(snapshot: Snapshot): ProcessIdentity {
  return {
    host: hostName(snapshot),
    boot: snapshot.boot,
    pid: Deno.pid,
    start: snapshot.processes.get(Deno.pid)?.start ?? "",
  };
}

/** Whether a process of this host is still there: the same pid, started at the same time, in the same boot. */
export function isAlive(identity: Omit<ProcessIdentity, "host">, snapshot: Snapshot): boolean {
  return identity.boot === snapshot.boot && findProcess(identity, snapshot) !== undefined;
}

/** The entry of a process, when it is still that one and has not ended. */
export function findProcess({ pid, start }: RunnerIdentity, snapshot: Snapshot): ProcessEntry | undefined {
  const entry = snapshot.processes.get(pid);
  if (!entry || entry.zombie) return undefined;
  // On Windows only a bound is known: whoever has the pid and is older than that has not got it second-hand.
  const same = start.startsWith("<=") ? BigInt(entry.start) <= BigInt(start.slice(2)) : entry.start === start;
  return same ? entry : undefined;
}

/**
 * The registered processes that are provably gone: of this host, but not there any more. In a `shared` store one of
 * another boot may be of another host that has the same name: of that only its lease tells.
 */
export function findGone(
  processes: readonly RegisteredProcess[],
  snapshot: Snapshot,
  shared: boolean,
): number[] {
  const host = hostName(snapshot);
  return processes.filter(({ identity }) =>
    identity.host === host && (!shared || identity.boot === snapshot.boot) && !isAlive(identity, snapshot)
  ).map((process) => process.id);
}

/**
 * The pids of a command: everything below its runner, everything that carries its claim token, every fork of the
 * runner's shell (where environments cannot be seen: everything in the runner's process group), and what is below
 * those. Not the runner itself, and nothing that an earlier command of the runner left behind on purpose: that is older
 * than `shell`, with which this command started, or carries the earlier one's token.
 */
export function commandProcesses(
  snapshot: Snapshot,
  runner: RunnerIdentity,
  shell = commandShell(snapshot, runner),
): number[] {
  const { processes, carriers, forks } = snapshot;
  const children = new Map<number, number[]>();
  for (const { pid, parent } of processes.values()) {
    children.set(parent, [...children.get(parent) ?? [], pid]);
  }

  const found = new Set<number>();
  const add = (pid: number) => {
    if (found.has(pid)) return;
    found.add(pid);
    addBelow(pid);
  };
  const addBelow = (pid: number) => children.get(pid)?.forEach(add);

  const runnerEntry = findProcess(runner, snapshot);
  // Without its runner a number is only a number: another process may have it by now.
  if (runnerEntry) addBelow(runner.pid);
  carriers.forEach(add);
  const group = runnerEntry ? [...processes.values()].filter((entry) => entry.group === runner.pid) : [];
  const kin = snapshot.showsMarks ? [...forks].flatMap((pid) => processes.get(pid) ?? []) : group;
  for (const entry of kin) {
    const isOfCommand = !runnerEntry || shell !== undefined && !isOlder(entry, shell);
    if (entry.pid !== runner.pid && isOfCommand) add(entry.pid);
  }
  // Where queuectl itself was started by a job, its processes may be below another command.
  for (const pid of [runner.pid, Deno.pid]) found.delete(pid);
  return [...found].filter((pid) => processes.get(pid)?.zombie === false);
}

/** The first process of a runner's command; undefined when it has ended. */
export function commandShell({ processes }: Snapshot, runner: RunnerIdentity): ProcessEntry | undefined {
  const children = [...processes.values()].filter((entry) => entry.parent === runner.pid);
  return children.reduce<ProcessEntry | undefined>(
    (oldest, entry) => oldest && !isOlder(entry, oldest) ? oldest : entry,
    undefined,
  );
}

/** Pids are given out in order; a step back by more than this is where the numbers have begun anew. */
const pidRange = 16_384;

/** Whether a process was started before another one. Clocks are coarse: on Linux many start within one tick. */
function isOlder(one: ProcessEntry, other: ProcessEntry): boolean {
  if (one.startOrder !== other.startOrder) return one.startOrder < other.startOrder;
  const distance = other.pid - one.pid;
  return Math.abs(distance) < pidRange ? distance > 0 : distance < 0;
}

/** Asks a process to end (TERM), or ends it (KILL). False when it is another user's, which cannot be ended. */
export async function endProcess(pid: number, force: boolean): Promise<boolean> {
  const invocation = platform.endInvocation(pid, force);
  if (invocation) {
    await new Deno.Command(invocation.command, {
      args: invocation.args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return true;
  }
  const allowed = sendSignal(pid, force ? "SIGKILL" : "SIGTERM");
  // A stopped process would keep the signal until somebody continues it.
  if (allowed && !force) sendSignal(pid, "SIGCONT");
  return allowed;
}

/** Whether the system has signals that commands can be sent. */
export const canSignal = Deno.build.os !== "windows";

/** Sends a signal to a process; one that is gone already is no error. False when it is another user's. */
export function sendSignal(pid: number, signal: Deno.Signal): boolean {
  // To the system 0 and numbers below are whole groups of processes, and 1 is the system itself.
  if (!(pid > 1)) throw new RangeError(`${pid} is no process that may get a signal`);
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return true;
}
