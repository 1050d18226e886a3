/**
 * How POSIX systems show their processes, each by programs of its own. Text in, text out: nothing here starts a process, so
 * that each side can be tested everywhere. (Windows: windows_processes.ts.)
 *
 * Linux is asked through a shell because a program with listed permissions may not read /proc itself.
 */

/** One process of this host. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  /** The session on Linux, the process group on macOS, 0 on Windows, which has none: named for its first process. */
  group: number;
  /** When it started, in the system's own words: compared for equality only. */
  start: string;
  /** When it started, as a number: compared in order only. */
  startOrder: number;
  /** Ended, but not yet collected by its parent. */
  zombie: boolean;
}

/** The processes of this host at one moment. */
export interface Snapshot {
  boot: string;
  /** The pid namespace on Linux; empty elsewhere. */
  namespace: string;
  processes: Map<number, ProcessEntry>;
  /** Pids that carry the claim token that was asked for in their environment (Linux only). */
  carriers: Set<number>;
  /** Pids that carry another claim token (Linux only). */
  strangers: Set<number>;
  /** Pids that carry the runner's mark but no claim token at all: forks of the runner's own shell (Linux only). */
  forks: Set<number>;
  /** What each process carries, where it was looked for (Linux only). */
  marks: ReadonlyMap<number, FoundMarks>;
}

/** The values of the marks in one environment; more than one only where the environment has a variable twice. */
export interface FoundMarks {
  claims: string[];
  runners: string[];
  origins: string[];
}

/** What to look for in the environments of processes. */
export interface Marks {
  claim: string;
  runner: string;
}

/** A program and its arguments. */
export interface Invocation {
  command: string;
  args: string[];
}

export interface Platform {
  /** Prints what {@link parseSnapshot} reads; looks for marks in environments too where that is asked for and possible. */
  snapshotInvocation(withMarks: boolean): Invocation;
  /** The same of one process alone, where that is less work; without marks. */
  processInvocation(pid: number): Invocation;
  /**
   * The snapshot, with the processes that carry `marks`. Undefined when the text breaks off: a process that could not be
   * started must not look like one that is gone.
   */
  parseSnapshot(text: string, marks: Marks | null): Snapshot | undefined;
}

/** The number by which starts are ordered, of the start of a process in the words of this file: ticks, or a time of `ps`. */
export function startOrder(start: string): number {
  return /^\d+$/.test(start) ? Number(start) : Date.parse(`${start.replaceAll("_", " ")} UTC`);
}

const separator = "--";

/**
 * Linux. A process chooses its name (proc_pid_comm(5)), and other users' processes choose theirs: it may hold line breaks
 * and whatever an entry looks like. So every line comes with the file that it was read from, which `grep` writes before it.
 */
export const linux: Platform = {
  // The marks of all processes, and not those that carry one: so one look serves many commands that are ended at once.
  // In the C locale bytes that are no text are characters too.
  snapshotInvocation: (withMarks) => ({
    command: "/bin/sh",
    args: [
      "-c",
      `cat /proc/sys/kernel/random/boot_id
      readlink /proc/self/ns/pid || echo
      LC_ALL=C grep -aHs '' /proc/[0-9]*/stat
      echo ${separator}
      ${withMarks ? "LC_ALL=C grep -anHsE 'QUEUECTL_(CLAIM|RUNNER|ORIGIN)=' /proc/[0-9]*/environ" : ""}
      echo
      echo end`,
    ],
  }),
  // What the shell reads itself needs no process of its own.
  processInvocation: (pid) => ({
    command: "/bin/sh",
    args: [
      "-c",
      `read -r boot </proc/sys/kernel/random/boot_id
      echo "$boot"
      readlink /proc/self/ns/pid || echo
      while IFS= read -r line; do printf '%s\\n' "/proc/$1/stat:$line"; done </proc/$1/stat
      echo "${separator}
      end"`.replaceAll(/^ +/gm, ""),
      "queuectl",
      String(pid),
    ],
  }),
  parseSnapshot(text, marks) {
    const lines = text.trimEnd().split("\n");
    if (lines.pop() !== "end") return undefined;
    const [boot, namespace, ...rest] = lines;
    const place = rest.indexOf(separator);
    const marked = marksOf(rest.slice(place + 1));
    const found = marks === null ? [] : [...marked];
    const pidsWith = (isWanted: (found: FoundMarks) => boolean) =>
      new Set(found.filter(([, found]) => isWanted(found)).map(([pid]) => pid));
    const isCarrier = ({ claims }: FoundMarks) => claims.includes(marks!.claim);
    const isClaimed = ({ claims }: FoundMarks) => claims.length > 0;
    return {
      boot,
      namespace,
      processes: byPid(textsOf(rest.slice(0, place), "stat").map(parseLinuxStat)),
      carriers: pidsWith(isCarrier),
      strangers: pidsWith((found) => isClaimed(found) && !isCarrier(found)),
      forks: pidsWith((found) => !isClaimed(found) && found.runners.includes(marks!.runner)),
      marks: marked,
    };
  },
};

/** The text of each process's file of this name, from lines like `/proc/123/NAME:TEXT`. */
function textsOf(lines: readonly string[], name: string): Array<[number, string]> {
  const texts = new Map<number, string[]>();
  const pattern = new RegExp(`^/proc/(\\d+)/${name}:([^]*)$`);
  for (const line of lines) {
    const [, pid, text] = pattern.exec(line) ?? [];
    if (pid === undefined) continue;
    const earlier = texts.get(Number(pid));
    if (earlier) earlier.push(text);
    else texts.set(Number(pid), [text]);
  }
  return [...texts].map(([pid, parts]) => [pid, parts.join("\n")]);
}

/** The variables that are marks. */
const markNames = {
  QUEUECTL_CLAIM: "claims",
  QUEUECTL_RUNNER: "runners",
  QUEUECTL_ORIGIN: "origins",
} as const satisfies Record<string, keyof FoundMarks>;

/**
 * The marks that processes carry, from lines like `/proc/123/environ:NUMBER:NAME=VALUE\0NAME=VALUE\0`. NUMBER counts the lines
 * of the file: a value may hold line breaks, and what stands behind one of those is no variable, whatever it looks like.
 */
function marksOf(lines: readonly string[]): Map<number, FoundMarks> {
  // Some builds of busybox split at NUL too, and leave it out: with those the two cannot be told apart.
  const splitsAtNul = !lines.some((line) => line.includes("\0"));
  const found = new Map<number, FoundMarks>();
  for (const line of lines) {
    const [, pid, number, text] = /^\/proc\/(\d+)\/environ:(\d+):([^]*)$/.exec(line) ?? [];
    if (pid === undefined) continue;
    const marks = found.get(Number(pid)) ?? { claims: [], runners: [], origins: [] };
    found.set(Number(pid), marks);
    for (const variable of splitsAtNul ? [text] : wholeVariables(text, number === "1")) {
      for (const [name, kind] of Object.entries(markNames)) {
        if (variable.startsWith(`${name}=`)) marks[kind].push(variable.slice(name.length + 1));
      }
    }
  }
  return found;
}

/** The variables that begin and end in one line of an environment, of which each ends with NUL. */
const wholeVariables = (line: string, isFirst: boolean): string[] =>
  line.split("\0").slice(isFirst ? 0 : 1, -1);

/**
 * Reads one /proc/PID/stat (proc_pid_stat(5)): the name, between the first parenthesis and the last, may hold anything.
 * Undefined for what is none, or another process's.
 */
function parseLinuxStat([pid, text]: [number, string]): ProcessEntry | undefined {
  const match = /^(\d+) \([^]*\) ([A-Za-z](?: -?\d+){19,})$/.exec(text);
  if (!match || Number(match[1]) !== pid) return undefined;
  const fields = match[2].split(" ");
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[3]),
    start: fields[19],
    startOrder: startOrder(fields[19]),
    zombie: fields[0] === "Z" || fields[0] === "X",
  };
}

/** The variables with which `ps` tells times in the same words to everyone, whatever language and time zone they have. */
export const plainTimes = "LC_ALL=C TZ=UTC0";

/** macOS. Nothing that a process chooses itself is asked for, its name neither. */
export const darwin: Platform = {
  snapshotInvocation: () => ({
    command: "/bin/sh",
    args: [
      "-c",
      `sysctl -n kern.bootsessionuuid; ${plainTimes} ps -A -o pid=,ppid=,pgid=,stat=,lstart=; echo end`,
    ],
  }),
  processInvocation: () => darwin.snapshotInvocation(false),
  parseSnapshot(text) {
    const [boot, ...lines] = text.trimEnd().split("\n");
    return lines.pop() === "end" ? snapshotWithoutMarks(boot, byPid(lines.map(parsePsLine))) : undefined;
  },
};

/** Reads one line of `ps`, whose time is as `Mon Nov 24 03:00:01 2025`. */
function parsePsLine(line: string): ProcessEntry | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s*$/.exec(line);
  if (!match) return undefined;
  const start = match[5].replaceAll(/\s+/g, "_");
  return {
    pid: Number(match[1]),
    parent: Number(match[2]),
    group: Number(match[3]),
    start,
    startOrder: startOrder(start),
    zombie: match[4].startsWith("Z"),
  };
}

/** A snapshot of a system that shows neither namespaces nor environments. */
export function snapshotWithoutMarks(boot: string, processes: Map<number, ProcessEntry>): Snapshot {
  const [carriers, strangers, forks] = [new Set<number>(), new Set<number>(), new Set<number>()];
  return { boot, namespace: "", processes, carriers, strangers, forks, marks: new Map() };
}

function byPid(entries: Array<ProcessEntry | undefined>): Map<number, ProcessEntry> {
  return new Map(entries.filter((entry) => entry !== undefined).map((entry) => [entry.pid, entry]));
}

/** The platform for a value of `Deno.build.os`; other Unix systems are treated as macOS, whose `ps` is BSD's. */
export function platformFor(os: string): Platform {
  return os === "linux" || os === "android" ? linux : darwin;
}
