/** What the systems say about their processes, read on whatever system the tests run. */

import assert from "node:assert/strict";
import { darwin, linux, platformFor } from "../../src/worker/host/platform.ts";
import { takeSnapshot } from "../../src/worker/host/processes.ts";
import { leftOut } from "../helpers/left_out.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** A /proc/PID/stat: pid, (name), state, parent, process group, session, 15 fields, start, and more. */
const stat = (pid: number, name: string, state: string, parent: number, session: number, start: number) =>
  `${pid} (${name}) ${state} ${parent} ${pid} ${session} ${Array(15).fill(7).join(" ")} ${start} 1 2 3`;

/** A stat file as it is told, each of its lines with its path. */
const told = (path: string, text: string) => text.split("\n").map((line) => `${path}:${line}`);
const toldStat = (...args: Parameters<typeof stat>) => told(`/proc/${args[0]}/stat`, stat(...args));

const stats = [
  ...toldStat(1, "init", "S", 0, 1, 3),
  ...toldStat(20, "a (b) c) S 9 9", "R", 1, 19, 400),
  ...toldStat(21, ") (", "Z", 20, 19, 500),
  ...toldStat(22, "", "T", 20, 22, 600),
];

const read = (lines: string[], marks: Parameters<typeof linux.parseSnapshot>[1] = null) =>
  linux.parseSnapshot([...lines, "", "end", ""].join("\n"), marks)!;

Deno.test("linux: names with blanks and parentheses, zombies and stopped processes are read", () => {
  const snapshot = read(["boot-id", "pid:[4026]", ...stats, "--"]);
  assert.deepEqual([snapshot.boot, snapshot.namespace], ["boot-id", "pid:[4026]"]);
  assert.deepEqual([...snapshot.processes.values()], [
    { pid: 1, parent: 0, group: 1, start: "3", startOrder: 3, zombie: false },
    { pid: 20, parent: 1, group: 19, start: "400", startOrder: 400, zombie: false },
    { pid: 21, parent: 20, group: 19, start: "500", startOrder: 500, zombie: true },
    { pid: 22, parent: 20, group: 22, start: "600", startOrder: 600, zombie: false },
  ]);
  assert.deepEqual([snapshot.carriers.size, snapshot.forks.size], [0, 0]);
});

Deno.test("linux: a name with line breaks makes no entries, hides none, and does not cut the list", () => {
  const names = [
    "\n",
    "\n--\nend\n",
    ") S 1 1\n7 (x",
    "\n1 (a) S 0 1 1 1",
    `\n${stat(30, "b", "S", 1, 1, 5)}`,
    "\n/proc/1/stat:1 (",
    `\n/proc/30/stat:${stat(30, "b", "S", 1, 1, 5)}\n`,
    "a\r\n\u2028\u2029",
    "(((((\n))))) S ",
  ];
  const odd = names.flatMap((name, number) => toldStat(100 + number, name, "S", 1, 9, 40));
  const { processes } = read(["boot", "", ...odd, ...stats, "--"]);
  const pids = [...names.keys()].map((number) => 100 + number);
  assert.deepEqual([...processes.keys()], [...pids, 1, 20, 21, 22]);
  for (const pid of pids) {
    assert.deepEqual(processes.get(pid), {
      pid,
      parent: 1,
      group: 9,
      start: "40",
      startOrder: 40,
      zombie: false,
    });
  }
});

Deno.test("linux: entries that contradict themselves are left out one by one", () => {
  const wrong = [
    ...told("/proc/40/stat", stat(41, "other pid", "S", 1, 1, 5)),
    ...told("/proc/42/stat", "42 (cut) S 1 1"),
    ...told("/proc/43/stat", "43 S 1"),
    ...told("/proc/44/stat", stat(44, "words", "S", 1, 1, 5).replace(" 7 ", " seven ")),
    ...told("/proc/45/stat", ""),
    ...told("/proc/-46/stat", stat(-46, "negative", "S", 1, 1, 5)),
    stat(47, "without its file", "S", 1, 1, 5),
  ];
  assert.deepEqual([...read(["boot", "", ...wrong, ...stats, "--"]).processes.keys()], [1, 20, 21, 22]);
});

/** An environment as it is told: each line that has a mark, with its number. */
const environ = (pid: number, ...variables: string[]) =>
  variables.map((variable) => `${variable}\0`).join("").split("\n").flatMap((line, index) =>
    line.includes("QUEUECTL_") ? [`/proc/${pid}/environ:${index + 1}:${line}`] : []
  );

Deno.test("linux: carriers have the claim, forks have the runner's mark and no claim at all", () => {
  const lines = [
    ...["boot", "", ...stats, "--"],
    ...environ(20, "PATH=/bin", "QUEUECTL_CLAIM=c", "QUEUECTL_RUNNER=r"),
    ...environ(21, "QUEUECTL_RUNNER=r", "X=QUEUECTL_CLAIM=c"),
    // Values with a line break.
    ...environ(22, "QUEUECTL_RUNNER=r", "A=1\n2", "QUEUECTL_CLAIM=c"),
    ...environ(1, "QUEUECTL_CLAIM=other", "QUEUECTL_RUNNER=r"),
    ...environ(23, "QUEUECTL_RUNNER=another"),
    ...environ(24, "QUEUECTL_CLAIM=c2"),
    ...environ(25, "QUEUECTL_RUNNER=r", "A=\nQUEUECTL_CLAIM=c", "B="),
    ...environ(26, "A=\nQUEUECTL_CLAIM=other", "QUEUECTL_CLAIM=c"),
    ...environ(27, "QUEUECTL_CLAIM=c\nd", "QUEUECTL_RUNNER=r\n"),
    ...environ(28, "A=\n/proc/1/environ:1:QUEUECTL_CLAIM=c", "B="),
    ...environ(29, "A=\nQUEUECTL_CLAIM=c\n"),
  ];
  const snapshot = read(lines, { claim: "c", runner: "r" });
  assert.equal(read(lines).carriers.size, 0);
  assert.equal(snapshot.namespace, "");
  assert.deepEqual([...snapshot.carriers], [20, 22, 26]);
  assert.deepEqual([...snapshot.forks], [21, 25]);
});

Deno.test("linux: marks are found too where grep splits at NUL, as that of some busyboxes", () => {
  const variable = (pid: number, number: number, text: string) => `/proc/${pid}/environ:${number}:${text}`;
  const snapshot = read([
    ...["boot", "", ...stats, "--"],
    variable(20, 3, "QUEUECTL_CLAIM=c"),
    variable(20, 4, "QUEUECTL_RUNNER=r"),
    variable(21, 2, "QUEUECTL_RUNNER=r"),
    variable(22, 1, "X=QUEUECTL_CLAIM=c"),
  ], { claim: "c", runner: "r" });
  assert.deepEqual([[...snapshot.carriers], [...snapshot.forks]], [[20], [21]]);
});

Deno.test("linux: a text that breaks off is no snapshot, wherever it does", () => {
  const text = ["boot", "pid:[1]", ...stats, "--", "/proc/20/environ:1:A=1", "", "end"].join("\n");
  assert.ok(linux.parseSnapshot(text, null));
  for (let length = 0; length < text.length; length++) {
    assert.equal(linux.parseSnapshot(text.slice(0, length), null), undefined, text.slice(0, length));
  }
});

Deno.test("linux: looks into environments only when it is asked to", () => {
  assert.ok(!linux.snapshotInvocation(false).args.join().includes("environ"));
  assert.ok(linux.snapshotInvocation(true).args.join().includes("environ"));
});

Deno.test("darwin: the output of ps is read", () => {
  const text = [
    "0A1B-2C3D",
    "    1     0     1 Ss   Mon Nov 24 03:00:01 2025    ",
    "  501     1   501 S+   Tue Nov  4 13:00:01 2025",
    "99999   501   501 Z    Tue Nov  4 13:00:02 2025",
    "  502     1   502 S    what is no time",
    "end",
    "",
  ].join("\n");
  const snapshot = darwin.parseSnapshot(text, null)!;
  assert.equal(snapshot.boot, "0A1B-2C3D");
  assert.deepEqual([...snapshot.processes.values()], [
    {
      pid: 1,
      parent: 0,
      group: 1,
      start: "Mon_Nov_24_03:00:01_2025",
      startOrder: Date.parse("Mon Nov 24 03:00:01 2025 UTC"),
      zombie: false,
    },
    {
      pid: 501,
      parent: 1,
      group: 501,
      start: "Tue_Nov_4_13:00:01_2025",
      startOrder: Date.parse("Tue Nov 4 13:00:01 2025 UTC"),
      zombie: false,
    },
    {
      pid: 99999,
      parent: 501,
      group: 501,
      start: "Tue_Nov_4_13:00:02_2025",
      startOrder: Date.parse("Tue Nov 4 13:00:02 2025 UTC"),
      zombie: true,
    },
  ]);
  assert.deepEqual([snapshot.namespace, snapshot.carriers.size], ["", 0]);
  assert.equal(darwin.parseSnapshot(text.replace("end", ""), null), undefined, "a list that breaks off");
});

Deno.test("darwin: nothing is asked for that processes choose themselves, and times in the same words for all", () => {
  const script = darwin.snapshotInvocation(true).args.join(" ");
  assert.match(script, /LC_ALL=C TZ=UTC0 ps -A -o pid=,ppid=,pgid=,stat=,lstart=;/);
});

Deno.test("every other system is asked as macOS is", () => {
  assert.deepEqual(["linux", "android", "darwin", "freebsd"].map(platformFor), [
    linux,
    linux,
    darwin,
    darwin,
  ]);
});

Deno.test("the snapshot of this host shows this process and its parent", async () => {
  const { boot, processes } = await takeSnapshot();
  assert.notEqual(boot, "");
  const own = processes.get(Deno.pid)!;
  assert.equal(own.zombie, false);
  // Wine has no numbers for processes of its host.
  if (Deno.ppid > 0) assert.equal(own.parent, Deno.ppid);
  assert.notEqual(own.start, "");
  assert.equal((await takeSnapshot()).processes.get(Deno.pid)?.start, own.start);
});

/** Starts a script under a file name, which is what the system calls its process; it ends when its input does. */
function startNamed(folder: string, name: string): Deno.ChildProcess {
  Deno.writeTextFileSync(`${folder}/${name}`, "#!/bin/sh\nread -r line\n", { mode: 0o755 });
  return new Deno.Command(`${folder}/${name}`, { stdin: "piped", stdout: "null", stderr: "null" }).spawn();
}

Deno.test({
  name: "linux: processes of this host whose names hold line breaks are read as any other",
  ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: names of processes in its process table"),
  async fn() {
    await using folder = await temporaryFolder();
    // The system keeps 15 bytes of a name.
    const names = ["\n--\nend", "x) S 1\n1 (", "\n999999 (x) S 1", "\n\n\n\n\n\n\n", "\x80\n\xff \\n"];
    const children = names.map((name) => startNamed(folder.path, name));
    try {
      const pids = children.map(({ pid }) => pid);
      const kept = await new Deno.Command("/bin/sh", {
        args: ["-c", `for pid; do cat /proc/$pid/comm; done`, "sh", ...pids.map(String)],
      }).output();
      assert.ok(new TextDecoder().decode(kept.stdout).startsWith("\n--\nend\n"), "the system keeps the name");
      for (const marks of [null, { claim: "c", runner: "r" }]) {
        const { processes } = await takeSnapshot(marks);
        for (const pid of pids) assert.equal(processes.get(pid)?.parent, Deno.pid);
        assert.equal(processes.has(999_999), false);
        assert.ok(processes.size > pids.length + 1);
        for (const { pid, start } of processes.values()) assert.match(`${pid} ${start}`, /^[1-9]\d* \d+$/);
      }
      // A process alone, as this one is looked at, is read by the shell itself.
      for (const pid of pids) {
        const { command, args } = linux.processInvocation(pid);
        const { stdout } = await new Deno.Command(command, { args }).output();
        const alone = linux.parseSnapshot(new TextDecoder().decode(stdout), null)!;
        assert.deepEqual([...alone.processes.values()].map(({ parent }) => parent), [Deno.pid]);
      }
    } finally {
      await Promise.all(children.map((child) => child.stdin.close()));
      await Promise.all(children.map((child) => child.status));
    }
  },
});
