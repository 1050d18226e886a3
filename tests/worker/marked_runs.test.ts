import assert from "node:assert/strict";
import { runWith } from "../../src/worker/lease/marked_runs.ts";
import { linux } from "../../src/worker/host/platform.ts";

/** A line of /proc/PID/stat; its session is named for its first process. */
const stat = (pid: number, parent: number, session: number) =>
  `/proc/${pid}/stat:${pid} (sh) S ${parent} ${session} ${session}${" 0".repeat(15)} ${1000 + pid} 0`;
const environ = (pid: number, ...variables: string[]) =>
  `/proc/${pid}/environ:1:${variables.map((variable) => `${variable}\0`).join("")}`;

const runner = ["QUEUECTL_RUNNER=mark", "QUEUECTL_ORIGIN=7 5:7,%2Fq.db"];
const command = [...runner, "QUEUECTL_CLAIM=3.1.mark"];
const snapshot = linux.parseSnapshot(
  [
    ...["boot", "", stat(20, 1, 20), stat(21, 20, 20), stat(22, 21, 20), "--"],
    // The shell that runs the command is a fork of the runner, and looks like it.
    ...[environ(20, ...runner), environ(21, ...runner), environ(22, ...command)],
    ...["", "end"],
  ].join("\n"),
  { claim: "", runner: "" },
)!;

const file = (...identities: string[]) => ({ identities, shared: false, spool: "/q.db.spool" });

Deno.test("a run is found by its claim, with the runner that leads its session", () => {
  assert.deepEqual(runWith("3.1", file("5:7"), snapshot), {
    pid: 20,
    start: "1020",
    boot: "boot",
    claim: "3.1.mark",
    runner: "mark",
    origin: { worker: 7, database: ["5:7", "%2Fq.db"] },
  });
  assert.equal(runWith("3.1", file("%2Fq.db"), snapshot)?.pid, 20);
});

Deno.test("it is not found for another database, another run, or one whose number only begins like it", () => {
  assert.equal(runWith("3.1", file("5:8", "%2Fcopy.db"), snapshot), undefined);
  assert.equal(runWith("3.2", file("5:7"), snapshot), undefined);
  assert.equal(runWith("3.11", file("5:7"), snapshot), undefined);
});

Deno.test("on a server a run is of one queue, in whichever folder its spool is looked for", () => {
  const mark = ["QUEUECTL_RUNNER=mark", "QUEUECTL_ORIGIN=7 now a.spool"];
  const there = linux.parseSnapshot(
    [
      ...["boot", "", stat(20, 1, 20), stat(22, 20, 20), "--"],
      ...[environ(20, ...mark), environ(22, ...mark, "QUEUECTL_CLAIM=3.1.mark"), "", "end"],
    ].join("\n"),
    { claim: "", runner: "" },
  )!;
  const server = (name: string) => ({ identities: ["now"], shared: true, spool: `/elsewhere/${name}` });
  assert.equal(runWith("3.1", server("a.spool"), there)?.pid, 20);
  assert.equal(runWith("3.1", server("b.spool"), there), undefined);
});
