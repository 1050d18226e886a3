/** Jobs that are held and let go, by commands. */

import assert from "node:assert/strict";
import { queueTest } from "../helpers/queue_test.ts";

queueTest("hold keeps jobs from being run, and release wakes a worker at once", async (queue) => {
  const { run } = queue;
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
    return stdout;
  };
  await said("enqueue", "--id", "born", "--hold", "--", "true");
  await said("enqueue", "--id", "a", "--", "true");
  await said("enqueue", "--id", "b", "--", "true");
  assert.equal(await said("hold", "a"), "Job a held.\n");
  assert.match(await said("show", "a"), /^Now: +is held; release it: queuectl release a$/m);
  const { waits } = JSON.parse(await said("show", "--json", "born"));
  assert.deepEqual([waits.for, waits.seconds, waits.ahead], ["release", null, null]);
  queue.start();
  await queue.reaches("b", "completed");
  assert.deepEqual([(await queue.job("a")).state, (await queue.job("born")).state], ["pending", "pending"]);
  assert.match(await said("list", "--state", "held"), /^born .*\na /m);
  assert.equal(await said("list", "--state", "waiting,scheduled"), "No jobs found.\n");
  assert.equal(await said("wait", "--all"), "");
  assert.equal(await said("release", "a"), "Job a released.\n");
  await queue.reaches("a", "completed");
  assert.equal(await said("release", "--state", "held", "--json"), '{"count":1,"ids":["born"]}\n');
  await queue.reaches("born", "completed");
  assert.equal(await said("release", "--state", "held"), "No jobs to release.\n");
  assert.equal(await said("hold", "--state", "waiting"), "No jobs to hold.\n");
});

queueTest("a drain and doctor do not wait for held jobs", async (queue) => {
  await queue.enqueue({ id: "held", command: "true", held: true }, { id: "a", command: "true" });
  const { code, stderr } = await queue.run("worker", "start", "--drain");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal((await queue.job("a")).state, "completed");
  assert.equal((await queue.job("held")).state, "pending");
  assert.match((await queue.run("doctor")).stdout, /^ok +Nothing waits, and no worker runs$/m);
  assert.equal((await queue.run("wait", "--all")).code, 0);
});

queueTest("what cannot be held or released is refused in one line", async (queue) => {
  await queue.enqueue({ id: "nightly", command: "true" }, { id: "done", command: "true" });
  await queue.run("cancel", "done");
  const cases: Array<[string[], number, RegExp]> = [
    [["hold"], 2, /^Argument ID is missing; give ids of jobs, or a filter: /],
    [
      ["hold", "done"],
      4,
      /^Job "done" cannot be held: its state is cancelled, only waiting jobs can be held$/,
    ],
    [["hold", "nighly"], 3, /^No job found with id nighly \(did you mean "nightly"\?\)$/],
    [["release", "nightly"], 4, /^Job "nightly" cannot be released: it is not held$/],
    [
      ["release", "done"],
      4,
      /^Job "done" cannot be released: its state is cancelled, only held jobs /,
    ],
    [["list", "--state", "hold"], 2, /^Unknown state "hold" \(did you mean "held"\?\)/],
  ];
  for (const [args, code, message] of cases) {
    const result = await queue.run(...args);
    assert.deepEqual([result.code, result.stdout], [code, ""], args.join(" "));
    assert.match(result.stderr.trimEnd(), message);
    assert.ok(!result.stderr.trimEnd().includes("\n"), result.stderr);
  }
});
