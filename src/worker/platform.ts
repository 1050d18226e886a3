/**
 * Every difference between the operating systems: how processes are seen and ended, and how a command is started.
 * Text in, text out: nothing here starts a process, so that each side can be tested everywhere.
 *
 * Linux is asked through a shell because a program with listed permissions may not read /proc itself.
 */

/** One process of this host. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  /** The session on Linux, the process group on macOS, 0 on Windows. */
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
  /** Pids that carry the runner's mark but no claim token at all: forks of the runner's own shell (Linux only). */
  forks: Set<number>;
  /** Whether environments can be looked into at all. */
  showsMarks: boolean;
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
  /** Ends a process and, where the system has no signals, all below it. Null: send the signal itself. */
  endInvocation(pid: number, force: boolean): Invocation | null;
}

const separator = "--";

export const linux: Platform = {
  // The marks of all processes, and not those that carry one: so one look serves many commands that are ended at once.
  snapshotInvocation: (withMarks) => ({
    command: "/bin/sh",
    args: [
      "-c",
      `cat /proc/sys/kernel/random/boot_id
      readlink /proc/self/ns/pid || echo
      cat /proc/[0-9]*/stat
      echo ${separator}
      ${withMarks ? "grep -aHsE 'QUEUECTL_(CLAIM|RUNNER)=' /proc/[0-9]*/environ" : ""}
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
      read -r stat </proc/$1/stat
      echo "$stat
      ${separator}
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
    const found = [...marked].filter(() => marks !== null);
    return {
      boot,
      namespace,
      processes: byPid(rest.slice(0, place).map(parseLinuxStat)),
      carriers: new Set(found.filter(([, { claim }]) => claim === marks!.claim).map(([pid]) => pid)),
      forks: new Set(
        found.filter(([, { claim, runner }]) => claim === undefined && runner === marks!.runner).map((
          [pid],
        ) => pid),
      ),
      showsMarks: true,
    };
  },
  endInvocation: () => null,
};

/** The marks that processes carry, from lines like `/proc/123/environ:NAME=VALUE\0NAME=VALUE\0`. */
function marksOf(lines: string[]): Map<number, Partial<Marks>> {
  const found = new Map<number, Partial<Marks>>();
  for (const line of lines) {
    const [, pid, variables] = /^\/proc\/(\d+)\/environ:([^]*)$/.exec(line) ?? [];
    if (pid === undefined) continue;
    // A value with a line break in it makes several lines of one process.
    const marks = found.get(Number(pid)) ?? {};
    found.set(Number(pid), marks);
    for (const variable of variables.split("\0")) {
      if (variable.startsWith("QUEUECTL_CLAIM=")) marks.claim ??= variable.slice("QUEUECTL_CLAIM=".length);
      if (variable.startsWith("QUEUECTL_RUNNER=")) marks.runner ??= variable.slice("QUEUECTL_RUNNER=".length);
    }
  }
  return found;
}

/** Reads one /proc/PID/stat (proc_pid_stat(5)): the name in parentheses may itself hold blanks and parentheses. */
function parseLinuxStat(line: string): ProcessEntry | undefined {
  const match = /^(\d+) \(.*\) (.+)$/.exec(line);
  if (!match) return undefined;
  const fields = match[2].split(" ");
  return {
    pid: Number(match[1]),
    parent: Number(fields[1]),
    group: Number(fields[3]),
    start: fields[19],
    startOrder: Number(fields[19]),
    zombie: fields[0] === "Z" || fields[0] === "X",
  };
}

export const darwin: Platform = {
  snapshotInvocation: () => ({
    command: "/bin/sh",
    args: ["-c", "sysctl -n kern.bootsessionuuid; ps -A -o pid=,ppid=,pgid=,stat=,lstart="],
  }),
  processInvocation: () => darwin.snapshotInvocation(false),
  parseSnapshot(text) {
    const [boot, ...lines] = text.split("\n");
    return snapshotWithoutMarks(boot, lines.map(parsePsLine));
  },
  endInvocation: () => null,
};

function parsePsLine(line: string): ProcessEntry | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
  if (!match) return undefined;
  return {
    pid: Number(match[1]),
    parent: Number(match[2]),
    group: Number(match[3]),
    start: match[5].replaceAll(/\s+/g, "_"),
    startOrder: Date.parse(match[5]),
    zombie: match[4].startsWith("Z"),
  };
}

export const windows: Platform = {
  snapshotInvocation: () => ({
    command: "powershell.exe",
    args: [
      "-NoProfile",
      "-NonInteractive",
      "-Command",
      "(Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc(); " +
      "Get-CimInstance Win32_Process | Where-Object CreationDate | ForEach-Object { " +
      '"$($_.ProcessId) $($_.ParentProcessId) $($_.CreationDate.ToFileTimeUtc())" }',
    ],
  }),
  processInvocation: () => windows.snapshotInvocation(false),
  parseSnapshot(text) {
    const [boot, ...lines] = text.split(/\r?\n/);
    return snapshotWithoutMarks(boot, lines.map(parseWindowsLine));
  },
  endInvocation: (pid, force) => ({
    command: "taskkill.exe",
    args: ["/PID", String(pid), "/T", ...(force ? ["/F"] : [])],
  }),
};

function parseWindowsLine(line: string): ProcessEntry | undefined {
  const match = /^(\d+) (\d+) (\d+)\s*$/.exec(line);
  return match
    ? {
      pid: Number(match[1]),
      parent: Number(match[2]),
      group: 0,
      start: match[3],
      startOrder: Number(match[3]),
      zombie: false,
    }
    : undefined;
}

function snapshotWithoutMarks(boot: string, entries: Array<ProcessEntry | undefined>): Snapshot {
  return {
    boot,
    namespace: "",
    processes: byPid(entries),
    carriers: new Set(),
    forks: new Set(),
    showsMarks: false,
  };
}

function byPid(entries: Array<ProcessEntry | undefined>): Map<number, ProcessEntry> {
  return new Map(entries.filter((entry) => entry !== undefined).map((entry) => [entry.pid, entry]));
}

/** The platform for a value of `Deno.build.os`; other Unix systems are treated as macOS, whose `ps` is BSD's. */
export function platformFor(os: string): Platform {
  return os === "linux" || os === "android" ? linux : os === "windows" ? windows : darwin;
}
