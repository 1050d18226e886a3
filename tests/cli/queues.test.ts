/** What people say about queues: `queue`, `pause`, `resume`, `move`, and the queues of `status`. */

import assert from "node:assert/strict";
import { formatRate, parseRate } from "../../src/cli/output/queue_output.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { newJob } from "../store/suite/harness.ts";

Deno.test("a rate is a number of starts and a time", () => {
  const rates: Array<[string, number, number, string]> = [
    ["10/s", 10, 1000, "10/s"],
    ["10/m", 10, 60_000, "10/m"],
    ["100/h", 100, 3_600_000, "100/h"],
    ["5/30s", 5, 30_000, "5/30s"],
    ["1/1d", 1, 86_400_000, "1/d"],
    ["7/10ms", 7, 10, "7/10ms"],
    ["60/60s", 60, 60_000, "60/m"],
  ];
  for (const [text, rate, ratePeriod, written] of rates) {
    assert.deepEqual(parseRate(text), { rate, ratePeriod }, text);
    assert.equal(formatRate({ rate, ratePeriod }), written);
  }
  for (
    const text of [
      "10",
      "10/",
      "/s",
      "0/s",
      "10/x",
      "10/0s",
      "-1/s",
      "1.5/s",
      "10 / s",
      "2000000/s",
      "1/200y",
    ]
  ) {
    assert.equal(parseRate(text), undefined, text);
  }
});

const said = (queue: Queue) => async (...args: string[]) => {
  const { code, stdout, stderr } = await queue.run(...args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
  return stdout;
};

const refused = (queue: Queue) => async (code: number, pattern: RegExp, ...args: string[]) => {
  const result = await queue.run(...args);
  assert.deepEqual([result.code, result.stdout], [code, ""], args.join(" "));
  assert.match(result.stderr, pattern);
  assert.equal(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
};

queueTest("queue set and list show what is set, and none takes it away", async (queue) => {
  const say = said(queue);
  assert.equal(
    await say(
      "queue",
      "set",
      "mail",
      "--concurrency",
      "2",
      "--rate",
      "10/m",
      "--max-retries",
      "0",
      "--timeout",
      "90s",
    ),
    "Queue mail: concurrency 2, rate 10/m, max-retries 0, timeout 90s.\n",
  );
  assert.equal(
    await say("queue", "set", "mail", "--rate", "none"),
    "Queue mail: concurrency 2, max-retries 0, timeout 90s.\n",
  );
  assert.equal(
    await say("queue", "set", "--global", "--concurrency", "8"),
    "All queues together: concurrency 8.\n",
  );
  await queue.store.enqueue([newJob("a", { queue: "mail" }), newJob("b")]);
  assert.match(
    await say("queue", "list"),
    /^\(all\) +\| active +\| 0\/8 +\| - +\| 2 .*\n^default .*\n^mail +\| active \| 0\/2 /m,
  );
  const [all, standard, mail] = JSON.parse(await say("queue", "list", "--json"));
  assert.deepEqual([all.name, all.concurrency, standard.name, standard.pending], [null, 8, "default", 1]);
  assert.deepEqual(mail, {
    ...{
      name: "mail",
      paused: false,
      concurrency: 2,
      rate: null,
      rate_period: null,
      next_start: null,
      max_retries: 0,
      timeout: 90,
    },
    ...{ pending: 1, processing: 0, completed: 0, failed: 0, dead: 0, cancelled: 0 },
  });
  const set = JSON.parse(await say("queue", "set", "mail", "--rate", "5/30s", "--json"));
  assert.deepEqual([set.name, set.rate, set.rate_period], ["mail", 5, 30]);
  await say("queue", "set", "--global", "--concurrency", "none");
  assert.doesNotMatch(await say("queue", "list"), /\(all\)/);
  await say("move", "a", "--queue", "default");
  assert.equal(await say("queue", "rm", "mail"), "Queue mail removed.\n");
});

queueTest("new jobs of a queue have its retries and timeout, unless they say otherwise", async (queue) => {
  const say = said(queue);
  await say("queue", "set", "mail", "--max-retries", "9", "--timeout", "5m");
  await say("queue", "set", "default", "--timeout", "0");
  await say("enqueue", '{"id": "a", "command": "true", "queue": "mail"}');
  await say("enqueue", "--id", "b", "--queue", "mail", "--max-retries", "1", "--timeout", "7", "--", "true");
  await say("enqueue", "--id", "c", "--", "true");
  Deno.writeTextFileSync(`${queue.path}/lines`, "true\n");
  await say("enqueue", "--queue", "mail", "--file", "lines");
  const jobs = (await queue.store.list({ limit: 9 })).map((
    { queue, maxRetries, timeout },
  ) => [queue, maxRetries, timeout]);
  assert.deepEqual(jobs, [["mail", 9, 300_000], ["mail", 1, 7000], ["default", 3, 0], ["mail", 9, 300_000]]);
});

queueTest("pause and resume take queues or mean all", async (queue) => {
  const say = said(queue);
  await queue.store.enqueue([newJob("a", { queue: "reports" })]);
  assert.equal(await say("pause", "reports", "default"), "Queue reports paused.\nQueue default paused.\n");
  assert.equal(
    await say("resume", "--json", "default"),
    '{"paused":false,"queues":["default"],"commands":null}\n',
  );
  assert.equal(await say("pause"), "All queues paused; running jobs continue, no others start.\n");
  assert.match(
    await say("status"),
    /^Queues:\n {2}\(all\) +: .*paused\n {2}default .*running\n {2}reports .*paused\n$/m,
  );
  const { stdout, stderr } = await queue.run("resume", "reports", "default", "--commands");
  assert.equal(
    stdout,
    "Queue reports resumed; 0 commands resumed.\nQueue default resumed; 0 commands resumed.\n",
  );
  assert.equal(
    stderr,
    "No job starts yet: all queues together are paused; resume them: queuectl resume\n",
  );
  await say("pause", "reports");
  assert.equal(await say("resume"), "All queues resumed.\n");
  assert.deepEqual((await queue.store.queues()).filter(({ paused }) => paused), []);
  await refused(queue)(
    3,
    /^There is no queue "report" \(did you mean "reports"\?\)$/m,
    "pause",
    "report",
  );
});

queueTest("status is as it was where there is one queue, without a limit", async (queue) => {
  const say = said(queue);
  await queue.store.enqueue([newJob("a")]);
  assert.doesNotMatch(await say("status"), /queue[^ ]/i);
  await queue.store.setQueue("default", { concurrency: 3, rate: 2, ratePeriod: 1000 });
  assert.match(await say("status"), /^Queues:\n {2}default +: 1 pending, 0 of 3 running, at most 2\/s\n$/m);
  const { queues } = JSON.parse(await say("status", "--json"));
  assert.deepEqual(queues, JSON.parse(await say("queue", "list", "--json")));
});

queueTest("move takes ids or a filter, and leaves what runs", async (queue) => {
  const say = said(queue);
  await queue.store.enqueue([newJob("a-1"), newJob("a-2"), newJob("b")]);
  assert.equal(await say("move", "a-1", "--queue", "slow"), "Job a-1 moved to queue slow.\n");
  assert.equal(
    await say("move", "--search", "a-", "--queue", "x", "--json"),
    '{"count":2,"ids":["a-1","a-2"]}\n',
  );
  assert.equal(await say("move", "--state", "dead", "--queue", "x"), "No jobs to move.\n");
  await queue.enqueue({ id: "runs", command: "sleep 60", priority: 5 });
  queue.start();
  await queue.reaches("runs", "processing");
  await refused(queue)(
    4,
    /^Job "runs" cannot be moved: its state is processing, only/,
    "move",
    "runs",
    "--queue",
    "x",
  );
  await say("cancel", "runs");
});

queueTest("mistakes about queues are told in a line, and nothing is changed", async (queue) => {
  const wrong = refused(queue);
  const before = await queue.store.queues();
  await wrong(2, /^Argument NAME is missing/, "queue", "set");
  await wrong(2, /^Nothing to set/, "queue", "set", "a");
  await wrong(2, /^Flag --rate takes a rate like .* not "10\/x"$/m, "queue", "set", "a", "--rate", "10/x");
  await wrong(2, /^Flag --concurrency takes/, "queue", "set", "a", "--concurrency", "0");
  await wrong(2, /letters, digits/, "queue", "set", "a b", "--concurrency", "1");
  await wrong(2, /--global takes --concurrency alone/, "queue", "set", "--global", "--rate", "1/s");
  await wrong(2, /not both/, "queue", "set", "a", "--global", "--concurrency", "1");
  await wrong(2, /letters, digits/, "worker", "start", "--queue", "a,,b");
  await wrong(2, /^Flag --queue is missing/, "move", "a");
  await wrong(2, /^Argument ID is missing/, "move", "--queue", "a");
  await wrong(3, /^There is no queue/, "queue", "rm", "a");
  await wrong(4, /cannot be removed/, "queue", "rm", "default");
  assert.deepEqual(await queue.store.queues(), before);
});
