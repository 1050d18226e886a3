/** `status`: with its workers, and drawn anew every second. */

import assert from "node:assert/strict";
import type { RegisteredProcess } from "../../src/store/store.ts";
import {
  keptBackLines,
  openJobs,
  paceLines,
  statusLine,
  statusObject,
  timeLeft,
  workOf,
} from "../../src/cli/output/status_lines.ts";
import { createPace } from "../../src/cli/output/finish_rate.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { hasTerminal, startInTerminal } from "../helpers/terminal.ts";

const none = { pending: 0, processing: 0, completed: 0, failed: 0, dead: 0, cancelled: 0 };

Deno.test("the pace is that of the last minute, and takes nothing back", () => {
  const paceAt = createPace();
  assert.deepEqual(paceAt({ ...none, pending: 90, completed: 5 }, 90, 0), {
    finished: 0,
    over: 0,
    left: null,
  });
  const second = paceAt({ ...none, pending: 80, processing: 1, completed: 14, dead: 1 }, 81, 10_000);
  assert.deepEqual(second, { finished: 10, over: 10_000, left: 81_000 });
  // Completed jobs were removed: that undoes nothing.
  const third = paceAt({ ...none, pending: 80, dead: 1 }, 80, 20_000);
  assert.deepEqual(third, { finished: 10, over: 20_000, left: 160_000 });
  assert.equal(paceAt({ ...none, pending: 80, dead: 1 }, 80, 70_000).finished, 0);
  assert.equal(paceAt({ ...none, completed: 80 }, 0, 71_000).left, 0);
});

const work = { workers: 2, slots: 4, slotsInUse: 1, pace: 30 };

Deno.test("the time left is that of the jobs that can be started", () => {
  const kept = { scheduled: 13, blocked: 1, held: 1, paused: 5 };
  const counts = { ...none, pending: 20, failed: 10, processing: 2 };
  assert.equal(openJobs(counts, kept), 12);
  assert.deepEqual(keptBackLines(kept, statusLine), [
    "  of these   : 13 scheduled, 1 blocked, 1 held, 5 paused",
  ]);
  const { finished_per_minute, time_left } = statusObject(counts, kept, work);
  assert.deepEqual([finished_per_minute, time_left], [30, 24]);
  const cases: Array<[number, number | null, number | null]> = [
    [0, null, 0],
    [0, 5, 0],
    [3, null, null],
    [3, 0, null],
    [3, 6, 30_000],
  ];
  for (const [open, pace, left] of cases) assert.equal(timeLeft(open, pace), left);
  assert.deepEqual(paceLines(12, 30, statusLine), ["  finished   : 30 a minute", "  time left  : about 24s"]);
  assert.deepEqual(paceLines(1, 0.25, statusLine), [
    "  finished   : 0.3 a minute",
    "  time left  : about 4m",
  ]);
  assert.deepEqual(paceLines(1, 0, statusLine), ["  finished   : 0 a minute", "  time left  : -"]);
});

Deno.test("workers that are gone are not counted, and the pace is that of all who know theirs", () => {
  const process = { role: "worker", expired: false, concurrency: 4, pace: 6 } as RegisteredProcess;
  const counts = { ...none, processing: 9 };
  const all = [process, { ...process, pace: null }, { ...process, expired: true }, {
    ...process,
    role: "manager",
  }] as RegisteredProcess[];
  assert.deepEqual(workOf(all, counts), { workers: 2, slots: 8, slotsInUse: 8, pace: 6 });
  assert.deepEqual(workOf([], none), { workers: 0, slots: 0, slotsInUse: 0, pace: null });
});

queueTest("status tells what keeps jobs, and --json all of it", async (queue) => {
  await queue.enqueue({ id: "a", command: "true" }, { id: "b", command: "true", held: true });
  assert.match((await queue.run("status")).stdout, /^ {2}dead +: 0\n {2}of these +: 1 held\n$/m);
  const { stdout } = await queue.run("status", "--json");
  const { queues: _, ...rest } = JSON.parse(stdout);
  assert.deepEqual(rest, {
    ...none,
    pending: 2,
    scheduled: 0,
    blocked: 0,
    held: 1,
    paused: 0,
    workers: 0,
    slots: 0,
    slots_in_use: 0,
    finished_per_minute: null,
    time_left: null,
  });
});

queueTest("status --workers tells the workers and their slots", async (queue) => {
  assert.match(
    (await queue.run("status", "--workers")).stdout,
    /^ {2}dead +: 0\n {2}workers +: 0, 0 of 0 slots in use\n$/m,
  );
  await queue.enqueue({ id: "runs", command: untilFile("go") });
  const manager = queue.start("--count", "2", "--concurrency", "3");
  // Both have registered, and one of them has the job.
  await manager.line(/Worker-\d: started$/, 2);
  await queue.reaches("runs", "processing");
  const { stdout } = await queue.run("status", "--workers", "--json");
  const { workers, slots, slots_in_use, processing } = JSON.parse(stdout);
  assert.deepEqual([slots_in_use, slots / workers, processing], [1, 3, 1]);
  assert.match((await queue.run("status")).stdout, /^ {2}workers +: 2, 1 of 6 slots in use$/m);
  queue.touch("go");
});

queueTest("status --watch shows a queue that is made later", async (queue) => {
  const place = queue.newPlace();
  await using _ = place;
  const env = { ...queue.env, QUEUECTL_DB: place.url };
  const terminal = startInTerminal(["status", "--watch"], queue.path, env);
  const { manager } = terminal;
  await manager.line(/pending +: 0$/);
  assert.deepEqual(await place.tables(), []);
  assert.equal((await queue.run("enqueue", "--db", place.url, "true")).code, 0);
  await manager.line(/pending +: 1$/);
  await terminal.type("\x03");
  assert.equal((await manager.status).code, 0);
  await terminal.close();
  await manager.closed;
}, { ignore: !hasTerminal });

queueTest("status --watch is drawn anew until Ctrl-C", async (queue) => {
  const terminal = startInTerminal(["status", "--watch"], queue.path, queue.env);
  const { manager } = terminal;
  await manager.line(/pending +: 0$/);
  await queue.enqueue({ id: "a", command: "true" });
  await manager.line(/pending +: 1$/);
  await queue.store.cancel(["a"]);
  await manager.line(/cancelled +: 1$/);
  await manager.line(/finished +: 1 in \d+s$/);
  await terminal.type("\x03");
  assert.equal((await manager.status).code, 0);
  await terminal.close();
  await manager.closed;
}, { ignore: !hasTerminal });
