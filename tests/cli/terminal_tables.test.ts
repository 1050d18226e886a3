/** What commands print on a terminal: no line is wider than it is, and what goes into a pipe is not cut for one. */

import assert from "node:assert/strict";
import { widthFor } from "../../src/cli/output/cell_width.ts";
import { fitToRows, rowsOf } from "../../src/cli/output/status_screen.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { hasTerminal, startInTerminal } from "../helpers/terminal.ts";

// How text is laid out is the same, wherever it comes from.
const options = { ignore: !hasTerminal, on: sqliteAlone };
const widthOf = await widthFor(["日"]);

/** The lines that a command prints on a terminal of that width. */
async function shown(queue: Queue, columns: number, ...args: string[]): Promise<string[]> {
  const { manager, close } = startInTerminal(args, queue.path, queue.env, { columns, rows: 24 });
  await manager.closed;
  assert.equal((await manager.status).code, 0, manager.lines.join("\n"));
  await close();
  const lines = [...manager.lines];
  for (const line of lines) {
    assert.ok(widthOf(line) <= columns, `${args} at ${columns}:\n${lines.join("\n")}`);
  }
  return lines;
}

const japanese = "日本語のテキスト".repeat(6);
const ids = ["01a22033-7269-7f5c-8b40-54ba3d8cb0f6", "01a22033-7269-7f5c-8b41-54ba3d8cb0f6"];

queueTest("lists of jobs fit the terminal", async (queue) => {
  await queue.enqueue(
    { id: ids[0], command: `echo ${japanese}; exit 3`, queue: "other", maxRetries: 0 },
    { id: "short", command: ": make all", queue: "other" },
  );
  queue.start("--drain");
  await queue.reaches(ids[0], "dead");
  await queue.reaches("short", "completed");

  const list = await shown(queue, 80, "list");
  assert.match(list[0], /^ID {22} \| QUEUE \| STATE {4} \| ATTEMPTS \| COMMAND$/);
  assert.equal(list[1], "-".repeat(80));
  assert.match(list[2], /^01a22033-7269-7f5c-8b40… \| other \| dead {5} \| {8}1 \| echo 日本語のテキスト…$/);
  assert.match(list[3], /^short {19} \| other \| completed \| {8}1 \| : make all$/);
  await shown(queue, 60, "list");
  assert.match(
    (await shown(queue, 200, "list"))[2],
    new RegExp(`^${ids[0]} \\| .* \\| echo ${japanese}; exit 3$`),
  );
  assert.match((await shown(queue, 80, "list", "--columns", "id,command,state"))[2], / \| dead$/);

  const dead = await shown(queue, 60, "dlq", "list");
  assert.match(dead[0], /^ID +\| COMMAND +\| LAST ERROR$/);
  assert.match(dead[2], /^01a22033-\S+… \| echo 日\S+…? +\| …[^|]*with code 3$/);

  const show = await shown(queue, 60, "show", ids[0]);
  assert.match(show.map((line) => line.trim()).join(""), new RegExp(`Command: +echo ${japanese}; exit 3`));

  const { stdout } = await queue.run("dlq", "list");
  assert.ok(stdout.includes(` | echo ${japanese}; exit 3 | `), stdout);
}, options);

queueTest("the other tables fit the terminal, without the columns that say nothing", async (queue) => {
  await queue.enqueue(
    ...ids.map((id) => ({ id, command: untilFile("go"), queue: "a-queue-with-a-long-name" })),
  );
  await queue.run("queue", "set", "a-queue-with-a-long-name", "--concurrency", "7", "--rate", "100/h");
  queue.start("--count", "1", "--concurrency", "2");
  for (const id of ids) await queue.reaches(id, "processing");

  const queues = await shown(queue, 80, "queue", "list");
  assert.match(queues[0], /^NAME +\| STATE {2}\| RUNNING \| RATE +\| PENDING \| FAILED \| COMPL\S+ \| DEAD$/);
  const workers = await shown(queue, 80, "worker", "list");
  assert.match(workers[0], /^NAME +\| HOST +\| PID +\| STATE +\| JOBS +\| STARTED \| HEARTBEAT$/);
  assert.match(workers[3], /^Worker-1 .* \| running 2 \| 01a22033-\S*… \| \d+s ago +\| \d+s ago$/);
  for (const command of ["queue list", "worker list", "config list", `show ${ids[0]}`, "status --workers"]) {
    await shown(queue, 40, ...command.split(" "));
  }
  queue.touch("go");
  for (const id of ids) await queue.reaches(id, "completed");
}, options);

Deno.test("status has no more lines than the terminal has rows, and says how many queues are left out", () => {
  const lines = ["Queue Status:", "  pending", "  dead"];
  const queues = ["Queues:", "  a", "  b", "  c"];
  const cases: Array<[number, string[]]> = [
    [Infinity, [...lines, ...queues]],
    [8, [...lines, ...queues]],
    [7, [...lines, "Queues:", "  a", "  (2 more queues left out)"]],
    [6, [...lines, "  (3 queues left out)"]],
    [5, [...lines, "  (3 queues left out)"]],
    [4, [...lines.slice(0, 2), "  (3 queues left out)"]],
    [2, ["Queue Status:"]],
    [1, ["Queue Status:"]],
  ];
  for (const [rows, expected] of cases) assert.deepEqual(fitToRows(lines, queues, rows), expected, `${rows}`);
  assert.deepEqual(fitToRows(lines, [], 3), lines.slice(0, 2));
  assert.equal(rowsOf(["", "12345", "123456", "日本語"], 5, widthOf), 6);
});

queueTest("status --watch draws over all that it has drawn, however few rows there are", async (queue) => {
  for (const name of ["a", "b", "c", "d", "e"]) {
    await queue.enqueue({ id: name, command: "true", queue: name });
  }
  for (const rows of [8, 14, 30]) {
    const { manager, type, close } = startInTerminal(["status", "--watch"], queue.path, queue.env, {
      columns: 40,
      rows,
    });
    // The second drawing begins with the number of lines of the first.
    const [, up] = await manager.line(new RegExp("\x1b\\[(\\d+)A\x1b\\[JQueue Status:$"));
    const first = manager.lines.slice(0, manager.lines.findIndex((line) => line.startsWith("\x1b[")));
    assert.equal(first.length, Number(up));
    assert.ok(first.length < rows, first.join("\n"));
    if (rows === 8) assert.equal(first.at(-1), "  (6 queues left out)");
    if (rows === 14) {
      assert.deepEqual(first.slice(-2), [
        "  b          : 1 pending, 0 running",
        "  (4 more queues left out)",
      ]);
    }
    if (rows === 30) assert.match(first.at(-1)!, /^ {2}e +: 1 pending, 0 running$/);
    await type("\x03");
    assert.equal((await manager.status).code, 0);
    await close();
    await manager.closed;
  }
}, options);
