/** Which processes belong to a command, on made-up snapshots. */

import assert from "node:assert/strict";
import type { Snapshot } from "../../src/worker/host/platform.ts";
import { commandProcesses, findGone, isAlive, sendSignal } from "../../src/worker/host/processes.ts";
import type { RegisteredProcess } from "../../src/store/store.ts";
import { leftOut } from "../helpers/left_out.ts";
import { isRoot, newUserWrapper } from "../helpers/resources.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

/** Processes as `[pid, parent, start]`, a fourth element makes a zombie. */
type Row = [pid: number, parent: number, start: number, zombie?: true];

function snapshot(
  rows: Row[],
  marks: { carriers?: number[]; strangers?: number[]; forks?: number[] } = {},
): Snapshot {
  return {
    boot: "boot",
    namespace: "",
    processes: new Map(rows.map(([pid, parent, start, zombie]) => [
      pid,
      { pid, parent, group: pid, start: String(start), startOrder: start, zombie: zombie ?? false },
    ])),
    carriers: new Set(marks.carriers),
    strangers: new Set(marks.strangers),
    forks: new Set(marks.forks),
    marks: new Map(),
  };
}

/** The pids that belong to the command of runner 100, which started at 10. */
function found(rows: Row[], marks?: Parameters<typeof snapshot>[1]): number[] {
  return commandProcesses(snapshot(rows, marks), { pid: 100, start: "10" }).sort((a, b) => a - b);
}

const host: Row[] = [[1, 0, 1], [50, 1, 5], [60, 50, 6]];
const runner: Row = [100, 50, 10];

Deno.test("everything below the runner belongs to its command, and nothing else", () => {
  assert.deepEqual(found([...host, runner]), []);
  assert.deepEqual(found([...host, runner, [101, 100, 20], [102, 101, 21], [103, 102, 22]]), [101, 102, 103]);
});

Deno.test("what carries the claim belongs to it wherever it is, with all below it", () => {
  const rows: Row[] = [...host, runner, [101, 100, 20], [200, 1, 21], [201, 200, 22], [300, 1, 23]];
  assert.deepEqual(found(rows, { carriers: [101, 200] }), [101, 200, 201]);
  // The runner may be gone.
  assert.deepEqual(found([...host, [200, 1, 21], [201, 200, 22]], { carriers: [200] }), [200, 201]);
});

Deno.test("forks of the runner's shell belong to it unless they are older than the command", () => {
  const rows: Row[] = [...host, runner, [90, 1, 15], [101, 100, 20], [200, 1, 21], [201, 200, 22]];
  // 90 was left behind by an earlier command of the runner.
  assert.deepEqual(found(rows, { forks: [100, 90, 101, 200] }), [101, 200, 201]);
  // Without its runner there is only this one command it can have been.
  assert.deepEqual(found([...host, [200, 1, 21]], { forks: [200] }), [200]);
});

Deno.test("forks of an earlier command that started within the same tick are older by their pid", () => {
  const rows: Row[] = [...host, runner, [198, 1, 20], [200, 100, 20], [202, 1, 20], [203, 202, 20]];
  assert.deepEqual(found(rows, { forks: [100, 198, 200, 202] }), [200, 202, 203]);
  // The numbers begin anew after the highest.
  const wrapped: Row[] = [...host, runner, [32_767, 1, 20], [300, 100, 20], [301, 1, 20]];
  assert.deepEqual(found(wrapped, { forks: [100, 32_767, 300, 301] }), [300, 301]);
  const wrapping: Row[] = [...host, runner, [32_766, 100, 20], [301, 1, 20]];
  assert.deepEqual(found(wrapping, { forks: [100, 32_766, 301] }), [301, 32_766]);
});

Deno.test("forks that an ended command has left behind are left alone", () => {
  assert.deepEqual(found([...host, runner, [90, 1, 15]], { forks: [100, 90] }), []);
});

Deno.test("where environments cannot be seen, the runner's group takes the place of its forks", () => {
  const rows: Row[] = [...host, runner, [90, 1, 15], [101, 100, 20], [200, 1, 21], [300, 1, 22]];
  const seen = snapshot(rows);
  for (const pid of [90, 101, 200]) seen.processes.get(pid)!.group = 100;
  const pids = (runner: { pid: number; start: string }) =>
    commandProcesses(seen, runner).sort((a, b) => a - b);
  assert.deepEqual(pids({ pid: 100, start: "10" }), [101, 200]);
  // A group whose leader is gone may be another's by now.
  assert.deepEqual(pids({ pid: 100, start: "9" }), []);
});

/** The same of rows whose processes are in the sessions of these others. */
function foundIn(
  sessions: Record<number, number>,
  rows: Row[],
  marks?: Parameters<typeof snapshot>[1],
  before?: Map<number, string>,
): number[] {
  const seen = snapshot(rows, marks);
  for (const [pid, group] of Object.entries(sessions)) seen.processes.get(Number(pid))!.group = group;
  return commandProcesses(seen, { pid: 100, start: "10" }, undefined, before).sort((a, b) => a - b);
}

Deno.test("what is in the runner's session belongs to the command, but nothing that an earlier one has left", () => {
  const rows: Row[] = [...host, runner, [90, 1, 15], [101, 100, 20], [200, 1, 21], [201, 90, 22], [
    202,
    1,
    22,
  ]];
  // 90 was left by an earlier command, 201 is its child, and 202 an orphan that carries its token.
  const sessions = { 90: 100, 101: 100, 200: 100, 201: 100, 202: 100 };
  assert.deepEqual(foundIn(sessions, rows, { strangers: [90, 202] }), [101, 200]);
});

Deno.test("the rest of a session that the command has made belongs to it", () => {
  const rows: Row[] = [...host, runner, [101, 100, 20], [200, 1, 21], [201, 200, 22], [210, 1, 23]];
  // Its first process has overwritten its environment, its child has not.
  assert.deepEqual(foundIn({ 200: 200, 201: 200 }, rows, { carriers: [101, 201] }), [101, 200, 201]);
  // That is gone.
  assert.deepEqual(foundIn({ 201: 199, 210: 199 }, rows, { carriers: [101, 201] }), [101, 201, 210]);
  assert.deepEqual(
    foundIn({ 201: 60, 210: 60 }, rows, { carriers: [101, 201] }),
    [101, 201],
    "an older session",
  );
  assert.deepEqual(
    foundIn({ 201: 0, 210: 0 }, rows, { carriers: [101, 201] }),
    [101, 201],
    "another namespace's",
  );
});

Deno.test("what was found once belongs to the command when nothing leads to it any more, unless the pid is another's", () => {
  const rows: Row[] = [...host, runner, [101, 100, 20], [200, 1, 21], [201, 200, 30], [210, 1, 22]];
  assert.deepEqual(foundIn({}, rows, {}, new Map([[200, "21"], [210, "21"]])), [101, 200, 201]);
});

Deno.test("another process that has the runner's pid now is not touched", () => {
  const rows: Row[] = [...host, [100, 50, 99], [101, 100, 100], [102, 101, 101]];
  assert.deepEqual(found(rows), []);
  assert.deepEqual(found([...rows, [200, 1, 50]], { carriers: [200] }), [200]);
  assert.deepEqual(found([...host, [100, 50, 10, true], [101, 100, 20]]), []);
});

Deno.test("this process, its runner and zombies are never among them", () => {
  const rows: Row[] = [
    ...host,
    runner,
    [101, 100, 20],
    [Deno.pid, 101, 21],
    [102, 101, 22, true],
    [103, 102, 23],
  ];
  assert.deepEqual(found(rows, { carriers: [100, 101, Deno.pid] }), [101, 103]);
});

Deno.test("a snapshot with a circle of parents does not go on for ever", () => {
  assert.deepEqual(found([...host, runner, [101, 102, 20], [102, 101, 21]], { carriers: [101] }), [101, 102]);
});

Deno.test("a process is known by its boot, pid and start", () => {
  const now = snapshot([...host, [7, 1, 70, true]]);
  const identity = { boot: "boot", pid: 60, start: "6" };
  assert.ok(isAlive(identity, now));
  assert.ok(!isAlive({ ...identity, boot: "earlier" }, now));
  assert.ok(!isAlive({ ...identity, start: "66" }, now));
  assert.ok(!isAlive({ ...identity, pid: 61 }, now));
  assert.ok(!isAlive({ boot: "boot", pid: 7, start: "70" }, now));
});

Deno.test("only processes of this host can be known to be gone", () => {
  const process = (id: number, host: string, pid: number, start: string) =>
    ({ id, identity: { host, boot: "boot", pid, start } }) as RegisteredProcess;
  const here = Deno.hostname();
  const registered = [
    process(1, here, 60, "6"),
    process(2, here, 60, "7"),
    process(3, here, 61, "6"),
    process(4, "elsewhere", 61, "6"),
    process(5, `${here}/pid:[1]`, 61, "6"),
  ];
  assert.deepEqual(findGone(registered, snapshot(host), false), [2, 3]);
  // Within a pid namespace the same pid is somebody else.
  assert.deepEqual(findGone(registered, { ...snapshot(host), namespace: "pid:[1]" }, false), [5]);
  // Where other hosts use the queue, one of them may have the same name: its boot is another.
  const namesake = process(6, here, 61, "6");
  namesake.identity.boot = "another";
  assert.deepEqual(findGone([...registered, namesake], snapshot(host), false), [2, 3, 6]);
  assert.deepEqual(findGone([...registered, namesake], snapshot(host), true), [2, 3]);
});

Deno.test("without marks, what stays in the runner's group belongs to the command unless it is older", () => {
  const { processes, ...rest } = snapshot([...host, runner, [90, 1, 15], [101, 100, 20], [200, 1, 21]]);
  for (const pid of [90, 101, 200]) processes.get(pid)!.group = 100;
  const without = { ...rest, processes };
  assert.deepEqual(commandProcesses(without, { pid: 100, start: "10" }).sort(), [101, 200]);
});

Deno.test("what is no process of a command never belongs to one, and gets no signal", () => {
  const rows: Row[] = [[0, 1, 1], [1, 100, 2], [-5, 100, 20], runner, [101, 100, 20]];
  assert.deepEqual(found(rows, { carriers: [0, 1, -5], forks: [1] }), [101]);
  // A signal that would do nothing.
  for (const pid of [1, 0, -1, -5, NaN, Infinity, 2.5]) assert.equal(sendSignal(pid, "SIGCONT"), false);
});

Deno.test({
  name: "a process of another user that cannot be signalled is told, once",
  ignore: leftOut(!isRoot, "Only where root runs the tests: programs of another user"),
  async fn() {
    await using folder = await temporaryFolder();
    const { user, wrapper } = newUserWrapper();
    await Deno.chown(folder.path, Number(user), Number(user));
    const source = import.meta.resolve("../../src/worker/host/processes.ts");
    const program = `import { sendSignal } from ${JSON.stringify(source)};
      console.log(sendSignal(${Deno.pid}, "SIGURG"), sendSignal(${Deno.pid}, "SIGURG"));`;
    const { stdout, stderr } = await new Deno.Command(wrapper[0], {
      args: [...wrapper.slice(1), Deno.execPath(), "eval", program],
      env: { DENO_DIR: folder.path, NO_COLOR: "1" },
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "false false\n");
    assert.match(
      new TextDecoder().decode(stderr),
      new RegExp(`^queuectl: process ${Deno.pid} of a command belongs to another user, and cannot [^\n]+\n$`),
    );
  },
});
