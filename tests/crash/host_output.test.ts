/** What running commands print, read on another host; and managers and workers of several hosts. */

import assert from "node:assert/strict";
import { sharedTest } from "../helpers/shared_queue.ts";
import { waitFor } from "../helpers/wait_for.ts";

sharedTest("what a running command prints is read on another host", async (queue) => {
  const [a, b] = [await queue.host("a"), await queue.host("b")];
  const command = "echo first; echo bad >&2; until [ -e more ]; do sleep 0.05; done; echo second; " +
    "until [ -e go ]; do sleep 0.05; done; echo last";
  await queue.enqueue({ id: "job", command });
  const manager = queue.start(a);
  await waitFor("the first words", async () => (await b.run("logs", "job")).stdout === "first\n");
  assert.deepEqual(await b.run("logs", "job"), { code: 0, stdout: "first\n", stderr: "bad\n" });
  queue.touch("more");
  await waitFor("the next words", async () => (await b.run("logs", "job")).stdout === "first\nsecond\n");
  assert.equal((await b.run("logs", "--stderr", "job")).stdout, "bad\n");
  queue.touch("go");
  await manager.line(/job job completed successfully$/);
  assert.equal((await b.run("logs", "job")).stdout, "first\nsecond\nlast\n");
  const { seq, run } = { seq: 1, run: 1 };
  assert.deepEqual(await queue.store.keptOutput(seq, run), []);
});

sharedTest(
  "a network that is down harms no run, and what it printed meanwhile comes later",
  async (queue) => {
    // Long enough for the cut: this is about the output.
    await queue.store.setSetting("lease", "60s");
    const [a, b] = [await queue.host("a"), await queue.host("b")];
    const command = "echo first; until [ -e more ]; do sleep 0.05; done; echo second; touch done; " +
      "until [ -e go ]; do sleep 0.05; done";
    await queue.enqueue({ id: "job", command });
    queue.start(a);
    await waitFor("the first words", async () => (await b.run("logs", "job")).stdout === "first\n");
    a.cut();
    queue.touch("more");
    await waitFor("the next words", () => hasFile(`${queue.path}/done`));
    a.restore();
    await waitFor(
      "them from elsewhere",
      async () => (await b.run("logs", "job")).stdout === "first\nsecond\n",
    );
    queue.touch("go");
    await queue.reaches("job", "completed");
  },
);

sharedTest("managers and workers are listed and stopped by host", async (queue) => {
  const [a, b] = [await queue.host("a"), await queue.host("b")];
  const [first, second] = [queue.start(a, "--count", "2"), queue.start(b)];
  await first.line(/Worker-1: started$/);
  await first.line(/Worker-2: started$/);
  await second.line(/Worker-1: started$/);
  await queue.enqueue({ id: "job", command: "until [ -e go ]; do sleep 0.05; done" });
  await waitFor("the job to run", async () => (await queue.store.counts()).processing === 1);
  const { stdout } = await b.run("worker", "list");
  const [header, , ...rows] = stdout.trimEnd().split("\n").map((line) => line.split(/ *\| */));
  assert.deepEqual(header, ["NAME", "HOST", "PID", "STATE", "JOBS", "STARTED", "HEARTBEAT"]);
  assert.deepEqual(rows.map(([name, host]) => `${host} ${name}`).sort(), [
    "a Manager",
    "a Worker-1",
    "a Worker-2",
    "b Manager",
    "b Worker-1",
  ]);
  assert.equal(rows.filter(([, , , state, jobs]) => state === "running 1" && jobs === "job").length, 1);
  const unknown = await a.run("worker", "stop", "--host", "c");
  assert.deepEqual([unknown.code, unknown.stderr], [3, "No manager or worker found on host c\n"]);
  assert.equal((await b.run("worker", "stop", "--host", "a", "--now")).stdout, "Stopped 1 worker manager.\n");
  assert.equal((await first.status).code, 0);
  const left = JSON.parse((await b.run("worker", "list", "--json")).stdout);
  assert.deepEqual(left.map(({ host, role, number }: Record<string, unknown>) => [host, role, number]), [
    ["b", "manager", null],
    ["b", "worker", 1],
  ]);
  queue.touch("go");
  await second.line(/job job completed successfully$/);
  assert.equal((await a.run("worker", "stop")).stdout, "Stopped 1 worker manager.\n");
  assert.equal((await second.status).code, 0);
});

sharedTest("a worker and a manager have two sessions with the server, and no more", async (queue) => {
  const a = await queue.host("a");
  const manager = queue.start(a, "--count", "2", "--concurrency", "4");
  await manager.line(/Worker-2: started$/);
  let most = 0;
  await queue.enqueue(...Array.from({ length: 60 }, (_, index) => ({
    id: `job-${index}`,
    command: "echo one; sleep 0.1; echo two",
  })));
  await waitFor("the end of all jobs", async () => {
    most = Math.max(most, await queue.sessions());
    return (await queue.store.counts()).completed === 60;
  });
  // All of them are there by then, and renew leases too.
  assert.equal(most, 2 * (1 + 2));
});

function hasFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
