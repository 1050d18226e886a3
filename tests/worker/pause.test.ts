/** Pausing with the commands that run: all their processes are stopped, and go on with the queue. */

import assert from "node:assert/strict";
import { describeProcesses, processesWith, untilNoneWith } from "../helpers/host_processes.ts";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

const linux = () => ({
  ignore: posixOnly("signals") || leftOut(Deno.build.os !== "linux", "Only on Linux: stopped processes"),
});

/** A command that is two processes, of which one waits for a file. */
const command = (id: string) => `sh -c 'touch begun.${id}; ${untilFile("go")}; true'; true`;

/** What the system says of the processes with a mark: T is stopped. */
async function states(mark: string): Promise<string[]> {
  const described = await describeProcesses(await processesWith(mark));
  return described.split("\n").slice(1).flatMap((line) => line.trim().split(/\s+/)[2] ?? []);
}

const untilStopped = (mark: string) =>
  waitFor(`processes of ${mark} to be stopped`, async () => {
    const all = await states(mark);
    return all.length > 0 && all.every((state) => state.startsWith("T"));
  }, async () => (await states(mark)).join());

const untilGoingOn = (mark: string) =>
  waitFor(`processes of ${mark} to go on`, async () => {
    const all = await states(mark);
    return all.length > 0 && all.every((state) => !state.startsWith("T"));
  }, async () => (await states(mark)).join());

/** Enqueues a job in a queue of its name for each, and starts a worker; gives the marks of their processes. */
async function startIn(queue: Queue, ...names: string[]): Promise<Record<string, string>> {
  const marks = Object.fromEntries(names.map((name) => [name, `${queue.path}/mark.${name}`]));
  await queue.enqueue(
    ...names.map((name) => ({ id: name, queue: name, command: command(name), env: { MARK: marks[name] } })),
  );
  queue.start("--concurrency", "4");
  for (const name of names) {
    await waitFor(
      `job ${name}`,
      () => [...Deno.readDirSync(queue.path)].some((file) => file.name === `begun.${name}`),
    );
  }
  return marks;
}

async function said(queue: Queue, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await queue.run(...args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
  return stdout;
}

queueTest(
  "pause --commands stops what runs in these queues alone, and resume --commands lets it go on",
  async (queue) => {
    const marks = await startIn(queue, "build", "mail");
    assert.equal(
      await said(queue, "pause", "build", "--commands"),
      "Queue build paused; 1 command suspended.\n",
    );
    await untilStopped(marks.build);
    assert.ok((await states(marks.mail)).every((state) => !state.startsWith("T")));
    assert.match(
      await said(queue, "show", "build"),
      /^Now: +is suspended; resume it: queuectl resume build --commands$/m,
    );
    assert.match(await said(queue, "show", "mail"), /^Now: +runs on/m);
    await queue.enqueue({ id: "next", queue: "build", command: "true" });
    assert.equal((await queue.job("build")).state, "processing");
    assert.equal(
      await said(queue, "resume", "build"),
      "Queue build resumed; 1 command still suspended; resume: queuectl resume build --commands\n",
    );
    await queue.reaches("next", "completed");
    await untilStopped(marks.build);
    assert.match(
      await said(queue, "show", "build"),
      /^Now: +is suspended; resume it: queuectl signal build CONT$/m,
    );
    assert.equal(
      await said(queue, "resume", "build", "--commands"),
      "Queue build resumed; 1 command resumed.\n",
    );
    await untilGoingOn(marks.build);
    assert.match(await said(queue, "show", "build"), /^Now: +runs on/m);
    queue.touch("go");
    for (const id of ["build", "mail"]) await queue.reaches(id, "completed");
    assert.deepEqual(await queue.outcomes("build"), [["exited", 0]]);
    assert.deepEqual(await queue.store.check(), []);
  },
  linux(),
);

queueTest("without a name all that runs is stopped, and goes on", async (queue) => {
  const marks = await startIn(queue, "build", "mail");
  assert.equal(await said(queue, "pause", "--commands"), "All queues paused; 2 commands suspended.\n");
  for (const mark of Object.values(marks)) await untilStopped(mark);
  assert.equal(
    await said(queue, "resume", "--commands", "--json"),
    '{"paused":false,"queues":null,"commands":["build","mail"]}\n',
  );
  for (const mark of Object.values(marks)) await untilGoingOn(mark);
  queue.touch("go");
  for (const id of Object.keys(marks)) await queue.reaches(id, "completed");
}, linux());

queueTest("what a worker was about to start when its queue was paused is stopped too", async (queue) => {
  const jobs = ["a", "b", "c", "d", "e", "f"];
  const marks = jobs.map((id) => `${queue.path}/mark.${id}`);
  await queue.enqueue(
    ...jobs.map((id, index) => ({ id, command: command(id), env: { MARK: marks[index] } })),
  );
  queue.start("--count", "2", "--concurrency", "3");
  // The first claim is enough: commands of it may not have begun.
  await waitFor("a claim", async () => (await queue.store.counts()).processing > 0);
  const { commands } = JSON.parse(await said(queue, "pause", "--commands", "--json"));
  const counts = await queue.store.counts();
  assert.equal(counts.processing, commands.length);
  for (const id of commands) await untilStopped(marks[jobs.indexOf(id)]);
  await said(queue, "resume", "--commands");
  queue.touch("go");
  for (const id of jobs) await queue.reaches(id, "completed");
}, linux());

for (const how of ["cancel", "stop"]) {
  queueTest(`a command that was stopped with its queue is ended by ${how}`, async (queue) => {
    const { build } = await startIn(queue, "build");
    await said(queue, "pause", "build", "--commands");
    await untilStopped(build);
    if (how === "cancel") {
      await said(queue, "cancel", "build");
      await queue.reaches("build", "cancelled");
    } else {
      await said(queue, "worker", "stop", "--grace", "100ms");
      assert.equal((await queue.job("build")).state, "pending");
      assert.deepEqual(await queue.outcomes("build"), [["handed_back", null]]);
    }
    await untilNoneWith(build);
  }, linux());
}

queueTest("pausing commands of a queue that is not there stops nothing", async (queue) => {
  const marks = await startIn(queue, "build");
  const result = await queue.run("pause", "build", "biuld", "--commands");
  assert.deepEqual(result, { code: 3, stdout: "", stderr: result.stderr });
  assert.match(result.stderr, /^There is no queue "biuld" \(did you mean "build"\?\)\n$/);
  assert.deepEqual((await queue.store.queues()).filter(({ paused }) => paused), []);
  assert.ok((await states(marks.build)).every((state) => !state.startsWith("T")));
  queue.touch("go");
  await queue.reaches("build", "completed");
}, linux());
