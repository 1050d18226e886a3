/** What the systems say about their processes, read on whatever system the tests run. */

import assert from "node:assert/strict";
import { darwin, linux, platformFor, windows } from "../../src/worker/platform.ts";
import { takeSnapshot } from "../../src/worker/processes.ts";

/** A /proc/PID/stat: pid, (name), state, parent, process group, session, 15 fields, start, and more. */
const stat = (pid: number, name: string, state: string, parent: number, session: number, start: number) =>
  `${pid} (${name}) ${state} ${parent} ${pid} ${session} ${Array(15).fill(7).join(" ")} ${start} 1 2 3`;

const stats = [
  stat(1, "init", "S", 0, 1, 3),
  stat(20, "a (b) c) S 9 9", "R", 1, 19, 400),
  stat(21, ") (", "Z", 20, 19, 500),
  stat(22, "", "T", 20, 22, 600),
];

Deno.test("linux: names with blanks and parentheses, zombies and stopped processes are read", () => {
  const snapshot = linux.parseSnapshot(
    ["boot-id", "pid:[4026]", ...stats, "--", "", "end", ""].join("\n"),
    null,
  )!;
  assert.deepEqual([snapshot.boot, snapshot.namespace], ["boot-id", "pid:[4026]"]);
  assert.deepEqual([...snapshot.processes.values()], [
    { pid: 1, parent: 0, group: 1, start: "3", startOrder: 3, zombie: false },
    { pid: 20, parent: 1, group: 19, start: "400", startOrder: 400, zombie: false },
    { pid: 21, parent: 20, group: 19, start: "500", startOrder: 500, zombie: true },
    { pid: 22, parent: 20, group: 22, start: "600", startOrder: 600, zombie: false },
  ]);
  assert.deepEqual([snapshot.carriers.size, snapshot.forks.size, snapshot.showsMarks], [0, 0, true]);
});

Deno.test("linux: carriers have the claim, forks have the runner's mark and no claim at all", () => {
  const environ = (pid: number, ...variables: string[]) =>
    `/proc/${pid}/environ:${variables.map((variable) => `${variable}\0`).join("")}`;
  const lines = [
    ...["boot", "", ...stats, "--"],
    environ(20, "PATH=/bin", "QUEUECTL_CLAIM=c", "QUEUECTL_RUNNER=r"),
    environ(21, "QUEUECTL_RUNNER=r", "X=QUEUECTL_CLAIM=c"),
    // A value with a line break.
    environ(22, "QUEUECTL_RUNNER=r", "A=1"),
    environ(22, "2", "QUEUECTL_CLAIM=c"),
    environ(1, "QUEUECTL_CLAIM=other", "QUEUECTL_RUNNER=r"),
    environ(23, "QUEUECTL_RUNNER=another"),
    environ(24, "QUEUECTL_CLAIM=c2"),
    ...["", "end"],
  ];
  const text = lines.join("\n");
  const snapshot = linux.parseSnapshot(text, { claim: "c", runner: "r" })!;
  assert.equal(linux.parseSnapshot(text, null)!.carriers.size, 0);
  assert.equal(snapshot.namespace, "");
  assert.deepEqual([...snapshot.carriers], [20, 22]);
  assert.deepEqual([...snapshot.forks], [21]);
});

Deno.test("linux: a text that breaks off is no snapshot, wherever it does", () => {
  const text = ["boot", "pid:[1]", ...stats, "--", "/proc/20/environ:A=1", "", "end"].join("\n");
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
      startOrder: Date.parse("Mon Nov 24 03:00:01 2025"),
      zombie: false,
    },
    {
      pid: 501,
      parent: 1,
      group: 501,
      start: "Tue_Nov_4_13:00:01_2025",
      startOrder: Date.parse("Tue Nov 4 13:00:01 2025"),
      zombie: false,
    },
    {
      pid: 99999,
      parent: 501,
      group: 501,
      start: "Tue_Nov_4_13:00:02_2025",
      startOrder: Date.parse("Tue Nov 4 13:00:02 2025"),
      zombie: true,
    },
  ]);
  assert.deepEqual([snapshot.namespace, snapshot.carriers.size, snapshot.showsMarks], ["", 0, false]);
});

Deno.test("windows: the output of PowerShell is read", () => {
  const snapshot = windows.parseSnapshot(
    "134082000000000000\r\n4 0 134082000001234567\r\n812 4 134082000007654321\r\n",
    null,
  )!;
  assert.equal(snapshot.boot, "134082000000000000");
  assert.deepEqual([...snapshot.processes.values()], [
    {
      pid: 4,
      parent: 0,
      group: 0,
      start: "134082000001234567",
      startOrder: Number("134082000001234567"),
      zombie: false,
    },
    {
      pid: 812,
      parent: 4,
      group: 0,
      start: "134082000007654321",
      startOrder: Number("134082000007654321"),
      zombie: false,
    },
  ]);
});

Deno.test("windows ends a tree with taskkill, the others with signals", () => {
  assert.deepEqual(windows.endInvocation(12, false), { command: "taskkill.exe", args: ["/PID", "12", "/T"] });
  assert.deepEqual(windows.endInvocation(12, true), {
    command: "taskkill.exe",
    args: ["/PID", "12", "/T", "/F"],
  });
  assert.deepEqual([linux.endInvocation(12, true), darwin.endInvocation(12, true)], [null, null]);
  assert.deepEqual(["linux", "android", "darwin", "freebsd", "windows"].map(platformFor), [
    linux,
    linux,
    darwin,
    darwin,
    windows,
  ]);
});

Deno.test("the snapshot of this host shows this process and its parent", async () => {
  const { boot, processes } = await takeSnapshot();
  assert.notEqual(boot, "");
  const own = processes.get(Deno.pid)!;
  assert.deepEqual([own.parent, own.zombie], [Deno.ppid, false]);
  assert.notEqual(own.start, "");
  assert.equal((await takeSnapshot()).processes.get(Deno.pid)?.start, own.start);
});
