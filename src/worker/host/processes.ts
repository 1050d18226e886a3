/** Which processes there are, which are gone, which belong to a command, and how they get signals. */

import type { ProcessIdentity, RegisteredProcess } from "../../store/store.ts";
import { printMessage } from "./log.ts";
import { leaveRemovedFolder } from "./start_folder.ts";
import {
  type Invocation,
  type Marks,
  platformFor,
  type ProcessEntry,
  type Snapshot,
  startOrder,
} from "./platform.ts";
import { readProcessTable } from "./windows_processes.ts";

const onWindows = Deno.build.os === "windows";
const platform = platformFor(Deno.build.os);

/** A runner, or on Windows a command's first process: the one that all of a command's are below. */
export interface RunnerIdentity {
  pid: number;
  start: string;
}

/** Looks at all processes of this host, and into their environments for the marks. Throws when that is not possible. */
export async function takeSnapshot(marks: Marks | null = null): Promise<Snapshot> {
  if (onWindows) return complete(readProcessTable());
  return read(await (marks ? lookForMarks() : look(platform.snapshotInvocation(false))), marks);
}

/** The identity of this process, with the least work. Throws when it cannot be known. */
export async function identify(): Promise<ProcessIdentity> {
  if (onWindows) return ownIdentity(await takeSnapshot());
  return ownIdentity(read(await look(platform.processInvocation(Deno.pid)), null));
}

/**
 * The same, and whether this process was started to ignore HUP, as by `nohup`; to be asked before it listens to any signal. Told
 * by the same shell, which inherits it: one that ignores a signal from the start cannot trap it (POSIX, `trap`).
 */
export async function identifyAtStart(): Promise<{ identity: ProcessIdentity; ignoresHangUp: boolean }> {
  if (onWindows) return { identity: await identify(), ignoresHangUp: false };
  const { command, args: [option, script, ...rest] } = platform.processInvocation(Deno.pid);
  const hangUp = "queuectl_hup=ignored; trap queuectl_hup= HUP; kill -HUP $$; echo $queuectl_hup; trap - HUP";
  const text = await look({ command, args: [option, `${hangUp}\n${script}`, ...rest] });
  const end = text.indexOf("\n");
  return {
    identity: ownIdentity(read(text.slice(end + 1), null)),
    ignoresHangUp: text.slice(0, end) === "ignored",
  };
}

function read(text: string, marks: Marks | null): Snapshot {
  return complete(platform.parseSnapshot(text, marks));
}

function complete(snapshot: Snapshot | undefined): Snapshot {
  if (!snapshot?.processes.has(Deno.pid)) throw new Error("The list of processes is not complete");
  return snapshot;
}

async function look({ command, args }: Invocation): Promise<string> {
  leaveRemovedFolder();
  // A process that ends meanwhile makes `cat` and `grep` complain and fail; what they print is what counts.
  const { stdout } = await new Deno.Command(command, { args, stdin: "null", stdout: "piped", stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

/** A disk, by where it is mounted, and the bytes that are left on it for this user. */
export interface Disk {
  mount: string;
  free: number;
}

/** The disk that a path is on, as `df` tells it; null where it does not, and on Windows. */
export async function diskOf(path: string): Promise<Disk | null> {
  if (onWindows) return null;
  const text = await look({ command: "df", args: ["-Pk", "--", path] });
  const [, free, mount] = /\s\d+\s+\d+\s+(-?\d+)\s+\d+%\s+(\/.*)\n$/.exec(text) ?? [];
  return free === undefined ? null : { mount, free: Math.max(0, Number(free)) * 1024 };
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

/** Whether a process is in another pid namespace than the system's first one (PROC_PID_INIT_INO of Linux): a container. */
export function isInContainer({ host }: Pick<ProcessIdentity, "host">): boolean {
  return /\/pid:\[\d+\]$/.test(host) && !host.endsWith("/pid:[4026531836]");
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
  return entry && !entry.zombie && entry.start === start ? entry : undefined;
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
 * runner's shell, what is in the runner's session (on macOS its group), what was found `before` (pids with their
 * starts), everything below those, and the rest of the sessions that they have made. Not the runner itself, and nothing
 * that an earlier command of the runner left behind on purpose: that is older than `shell`, with which this command
 * started, carries the earlier one's token, or is below such.
 */
export function commandProcesses(
  snapshot: Snapshot,
  runner: RunnerIdentity,
  shell = commandShell(snapshot, runner),
  before: ReadonlyMap<number, string> = new Map(),
): number[] {
  const { processes, carriers, strangers, forks } = snapshot;
  const below = Map.groupBy(processes.values(), ({ parent }) => parent);
  const groups = Map.groupBy(processes.values(), ({ group }) => group);
  const runnerEntry = findProcess(runner, snapshot);
  const first = shell ?? runnerEntry ?? { pid: runner.pid, startOrder: startOrder(runner.start) };

  const found = new Set<number>();
  const add = (pid: number) => {
    if (found.has(pid)) return;
    found.add(pid);
    addBelow(pid);
    const group = processes.get(pid)?.group ?? 0;
    // In the runner's there may be what earlier commands have left.
    if (isCommandPid(group) && !(runnerEntry && group === runner.pid)) addGroup(group);
  };
  const addBelow = (pid: number) => below.get(pid)?.forEach((entry) => add(entry.pid));
  const addGroup = (group: number) => {
    const members = groups.get(group)!;
    // Where the process that made it began before the command, others are in it too.
    if (members.some((entry) => entry.pid === group && isOlder(entry, first))) return;
    for (const entry of members) if (!isOlder(entry, first)) add(entry.pid);
  };

  // Without its runner a number is only a number: another process may have it by now.
  if (runnerEntry) addBelow(runner.pid);
  carriers.forEach(add);
  for (const [pid, start] of before) if (findProcess({ pid, start }, snapshot)) add(pid);
  const isOfEarlier = (entry: ProcessEntry): boolean => {
    if (!runnerEntry) return false;
    if (shell === undefined || isOlder(entry, shell) || strangers.has(entry.pid)) return true;
    const parent = processes.get(entry.parent);
    // Older than its child, or this could go in circles.
    return parent?.group === runner.pid && parent.pid !== runner.pid && isOlder(parent, entry) &&
      isOfEarlier(parent);
  };
  const kin = [...forks].flatMap((pid) => processes.get(pid) ?? []);
  if (runnerEntry) kin.push(...groups.get(runner.pid) ?? []);
  for (const entry of kin) if (entry.pid !== runner.pid && !isOfEarlier(entry)) add(entry.pid);
  // Where queuectl itself was started by a job, its processes may be below another command.
  for (const pid of [runner.pid, Deno.pid]) found.delete(pid);
  return [...found].filter((pid) => isCommandPid(pid) && processes.get(pid)?.zombie === false);
}

/** The first process of a runner's command; undefined when it has ended. */
export function commandShell({ processes }: Snapshot, runner: RunnerIdentity): ProcessEntry | undefined {
  const children = [...processes.values()].filter((entry) => entry.parent === runner.pid);
  return children.reduce<ProcessEntry | undefined>(
    (oldest, entry) => oldest && !isOlder(entry, oldest) ? oldest : entry,
    undefined,
  );
}

/** Whether there is another process in the session (on macOS the group) that a runner has made. */
export function hasCompany(runner: number, { processes }: Snapshot): boolean {
  return processes.values().some(({ pid, group, zombie }) => group === runner && pid !== runner && !zombie);
}

/** What tells when a process started. */
type Age = Pick<ProcessEntry, "pid" | "startOrder">;

/** Pids are given out in order; a step back by more than this is where the numbers have begun anew. */
const pidRange = 16_384;

/** Whether a process was started before another one. Clocks are coarse: on Linux many start within one tick. */
function isOlder(one: Age, other: Age): boolean {
  if (one.startOrder !== other.startOrder) return one.startOrder < other.startOrder;
  const distance = other.pid - one.pid;
  return Math.abs(distance) < pidRange ? distance > 0 : distance < 0;
}

/** Asks a process to end (TERM), or ends it (KILL). */
export function endProcess(pid: number, force: boolean): void {
  const allowed = sendSignal(pid, force ? "SIGKILL" : "SIGTERM");
  // A stopped process would keep the signal until somebody continues it.
  if (allowed && !force) sendSignal(pid, "SIGCONT");
}

/** Whether the system has signals that commands can be sent. */
export const canSignal = !onWindows;

/** To the system 0 and numbers below are whole groups of processes, and 1 is the system itself. */
const isCommandPid = (pid: number) => Number.isSafeInteger(pid) && pid > 1;

/** Sends a signal to a process; one that is gone already is no error. False when it is another user's, which is told once. */
export function sendSignal(pid: number, signal: Deno.Signal): boolean {
  if (!isCommandPid(pid)) return false;
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      tellForeign(pid);
      return false;
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return true;
}

/** The processes of other users that were told. */
const foreign = new Set<number>();

function tellForeign(pid: number): void {
  if (foreign.has(pid)) return;
  foreign.add(pid);
  printMessage(
    `queuectl: process ${pid} of a command belongs to another user, and cannot be ended or sent a signal`,
  );
}
