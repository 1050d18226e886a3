/** Limits of queues, kept by several real managers and workers at once, also when one is killed. */

import assert from "node:assert/strict";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { note, steps, untilFile, variable } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

const names = (queue: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${queue}-${index}`);

/** A command that says when it begins and ends, and holds its place for a moment. */
const marking = (file: string) => steps(note("+", file), "sleep 0.05", note("-", file));

const jobsOf = (queue: string, count: number, command: string) =>
  names(queue, count).map((id) => ({ id, queue, command, maxRetries: 5 }));

/** cmd.exe opens a file for itself alone. */
const marks = () => ({ ignore: posixOnly("commands that add to one file at once") });

/** The most commands that ran at once by what they said. */
function most(marks: string): number {
  let [running, most] = [0, 0];
  for (const mark of marks.trimEnd().split("\n")) {
    running += mark === "+" ? 1 : -1;
    most = Math.max(most, running);
  }
  assert.equal(running, 0, marks);
  return most;
}

/** Waits until that many of all jobs are completed. */
async function completed(queue: Queue, count: number): Promise<void> {
  await waitFor(
    `${count} completed jobs`,
    async () => (await queue.store.counts()).completed >= count,
    async () => [await queue.store.counts(), await queue.store.queues()],
  );
}

queueTest(
  "a queue runs as many jobs as its limit and never more, also when workers are killed",
  async (queue) => {
    const { store } = queue;
    await store.setQueue("three", { concurrency: 3 });
    await queue.enqueue(...jobsOf("three", 40, marking("marks")));
    const manager = queue.start("--count", "2", "--concurrency", "8");
    queue.start("--count", "2", "--concurrency", "8");
    for (const [number, done] of [[1, 8], [2, 20]]) {
      await completed(queue, done);
      sendSignal(await manager.workerPid(number), "SIGKILL");
    }
    await completed(queue, 40);
    assert.equal(most(queue.read("marks")), 3);
    const counts = (await store.queues()).find(({ name }) => name === "three")!.counts;
    assert.deepEqual([counts.completed, counts.processing], [40, 0]);
  },
  marks(),
);

queueTest("all queues together run as many jobs as the limit of all and never more", async (queue) => {
  await queue.store.setQueue("", { concurrency: 4 });
  await queue.store.setQueue("two", { concurrency: 2 });
  await queue.enqueue(
    ...["one", "default"].flatMap((name) => jobsOf(name, 12, marking("all"))),
    ...jobsOf("two", 12, steps(marking("all"), "true")),
  );
  const managers = [
    queue.start("--concurrency", "8", "--drain"),
    queue.start("--concurrency", "8", "--drain"),
  ];
  for (const manager of managers) assert.equal((await manager.status).code, 0);
  assert.equal(most(queue.read("all")), 4);
}, marks());

queueTest("a rate is kept in any window of its period, however many workers there are", async (queue) => {
  const [rate, ratePeriod, jobs] = [4, 400, 18];
  await queue.store.setQueue("slow", { rate, ratePeriod });
  await queue.enqueue(...jobsOf("slow", jobs, "true"));
  const managers = [queue.start("--count", "2", "--concurrency", "4", "--drain"), queue.start("--drain")];
  for (const manager of managers) assert.equal((await manager.status).code, 0);
  const runs = await Promise.all(names("slow", jobs).map((id) => queue.store.attempts(id)));
  const starts = runs.flat().map(({ startedAt }) => startedAt).sort((a, b) => a - b);
  assert.equal(starts.length, jobs);
  for (const [index, start] of starts.slice(rate).entries()) {
    assert.ok(
      start - starts[index] >= ratePeriod,
      `${rate + 1} starts in ${start - starts[index]} ms: ${starts}`,
    );
  }
});

queueTest("a rate counts a command from when it begins, which may be long after its claim", async (queue) => {
  const { store } = queue;
  await store.setQueue("slow", { rate: 1, ratePeriod: 1000 });
  queue.start("--concurrency", "4");
  await queue.enqueue({ id: "first", command: "true" });
  await queue.reaches("first", "completed");
  await queue.enqueue(...jobsOf("slow", 2, "true").map((job) => ({ ...job, held: true })));
  // Its shell waits for a reader of this output before the command begins.
  const [{ seq }] = await store.find(["slow-0"]);
  const output = `${queue.spool}/${seq}.1.out`;
  assert.ok((await new Deno.Command("mkfifo", { args: [output] }).output()).success);
  await store.release(["slow-0", "slow-1"]);
  await queue.reaches("slow-0", "processing");
  await queue.enqueue({ id: "later", command: "true", delay: 1500 });
  await queue.reaches("later", "completed");
  assert.equal((await queue.job("slow-1")).state, "pending");
  const begun = Date.now();
  const reader = await Deno.open(output);
  await queue.reaches("slow-1", "completed");
  reader.close();
  const [{ startedAt }] = await store.attempts("slow-1");
  assert.ok(startedAt - begun >= 1000, `${startedAt - begun} ms after the begin of the first`);
}, { ignore: posixOnly("a shell that waits for a pipe") });

queueTest("workers take jobs of their queues alone; a drained one waits for no other", async (queue) => {
  const command = note(variable("QUEUECTL_QUEUE"), "ran");
  await queue.enqueue(...["a", "b", "c", "default"].flatMap((name) => jobsOf(name, 2, command)));
  const manager = queue.start("--queue", "a,b", "--queue", "none", "--queue", "defualt", "--drain");
  await manager.line(/^There is no queue "none" yet; its first job will create it$/);
  await manager.line(
    /^There is no queue "defualt" yet \(did you mean "default"\?\); its first job will create it$/,
  );
  assert.deepEqual(manager.lines.filter((line) => /no queue "[ab]"/.test(line)), []);
  assert.equal((await manager.status).code, 0);
  assert.deepEqual(queue.read("ran").trimEnd().split("\n").sort(), ["a", "a", "b", "b"]);
  assert.equal((await queue.store.counts()).pending, 4);
  queue.start("--queue", "none");
  await waitFor("a worker", async () => (await queue.store.processes()).length === 2);
  const { stdout } = await queue.run("worker", "list");
  assert.match(stdout, /QUEUES[^]*Worker-1 .*\| none +\|/);
  const [listed] = JSON.parse((await queue.run("worker", "list", "--json")).stdout);
  assert.deepEqual(listed.queues, ["none"]);
});

queueTest("workers that drain some queues tell of the deaths in these alone", async (queue) => {
  await queue.enqueue({ id: "a", queue: "a", command: untilFile("go") });
  const drains = queue.start("--queue", "a", "--drain");
  await queue.reaches("a", "processing");
  await queue.enqueue({ id: "b", queue: "b", command: "false", maxRetries: 0 });
  queue.start("--queue", "b");
  await queue.reaches("b", "dead");
  queue.touch("go");
  assert.equal((await drains.status).code, 0);
  await queue.enqueue({ id: "dies", queue: "a", command: "false", maxRetries: 0 });
  assert.equal((await queue.start("--queue", "a", "--drain").status).code, 1);
  assert.equal((await queue.start("--queue", "a", "--drain").status).code, 0);
});

queueTest("a paused queue starts nothing until it goes on; workers that drain leave it", async (queue) => {
  const { store } = queue;
  await queue.enqueue({ id: "runs", queue: "a", command: untilFile("go") });
  queue.start("--concurrency", "4");
  await queue.reaches("runs", "processing");
  await store.pauseQueues(["a"], true);
  await queue.enqueue({ id: "waits", queue: "a", command: "true" }, { id: "free", command: "true" });
  await queue.reaches("free", "completed");
  queue.touch("go");
  await queue.reaches("runs", "completed");
  const drained = await queue.start("--drain").status;
  assert.equal(drained.code, 0);
  assert.equal((await queue.job("waits")).state, "pending");
  await store.pauseQueues(["a"], false);
  await queue.reaches("waits", "completed");
});
