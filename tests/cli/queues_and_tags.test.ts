/** Commands that take jobs by their queues and tags. */

import assert from "node:assert/strict";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { addDead, newJob } from "../store/suite/harness.ts";

async function addJobs({ run }: Queue): Promise<void> {
  const lines = [
    ["--id", "a", "--queue", "media", "--tag", "nightly"],
    ["--id", "b", "--queue", "mail", "--tag", "nightly", "--tag", "big"],
    ["--id", "c", "--tag", "big"],
  ];
  for (const flags of lines) assert.equal((await run("enqueue", ...flags, "true")).code, 0);
}

async function listed({ run }: Queue, ...flags: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await run("list", "--json", "--columns", "id", ...flags);
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout).map(({ id }: { id: string }) => id);
}

queueTest("list takes queues and tags, several of each", async (queue) => {
  await addJobs(queue);
  assert.deepEqual(await listed(queue, "--queue", "media"), ["a"]);
  assert.deepEqual(await listed(queue, "--queue", "mail, default"), ["b", "c"]);
  assert.deepEqual(await listed(queue, "--queue", "media", "--queue", "mail"), ["a", "b"]);
  assert.deepEqual(await listed(queue, "--tag", "nightly"), ["a", "b"]);
  assert.deepEqual(await listed(queue, "--tag", "nightly,big"), ["b"]);
  assert.deepEqual(await listed(queue, "--tag", "nightly", "--tag", "big", "--queue", "media"), []);
  assert.deepEqual(await listed(queue, "--tag", "nothing-like-it"), []);
  assert.deepEqual(await listed(queue, "--tag", "big", "--state", "waiting", "--search", "c"), ["c"]);
});

queueTest(
  "a queue that is not there is a mistake, a tag is not; both are told with what was meant",
  async (queue) => {
    await addJobs(queue);
    const commands = [["list"], ["cancel"], ["retry"], ["rm"], ["clean"], ["dlq", "list"], ["dlq", "purge"]];
    for (const command of [...commands, ["dlq", "retry"]]) {
      const { code, stdout, stderr } = await queue.run(...command, "--queue", "meida");
      assert.deepEqual([code, stdout], [3, ""], command.join(" "));
      assert.equal(stderr, 'There is no queue "meida" (did you mean "media"?)\n');
    }
    for (const command of commands.slice(0, 4)) {
      const { code, stderr } = await queue.run(...command, "--tag", "nigthly");
      assert.equal(code, 0);
      assert.equal(stderr, 'No job has the tag "nigthly" (did you mean "nightly"?)\n');
    }
    assert.equal((await queue.run("list", "--tag", "nightly", "--state", "dead")).stderr, "");
    const wrong = await queue.run("list", "--queue", "a b");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^Flag --queue must be made of letters.*\n$/);
    assert.match((await queue.run("cancel")).stderr, /--state, --queue, --tag, --search/);
  },
);

queueTest("jobs are cancelled, retried and removed by their queues and tags", async (queue) => {
  await addJobs(queue);
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await queue.run(...args);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    return stdout;
  };
  assert.equal(
    await said("cancel", "--tag", "nightly", "--json"),
    '{"count":2,"ids":["a","b"],"running":[],"dependants":0}\n',
  );
  assert.equal(await said("retry", "--queue", "mail"), "1 job moved back to pending queue.\n");
  assert.equal(await said("rm", "--queue", "media,mail", "--state", "cancelled"), "1 job removed.\n");
  assert.deepEqual(await listed(queue), ["b", "c"]);
  await queue.store.cancel("all");
  await addDead(queue.store, "d");
  await queue.store.enqueue([newJob("e", { tags: ["big"] })]);
  assert.equal(await said("dlq", "purge", "--tag", "big"), "No such jobs in DLQ.\n");
  assert.equal(await said("dlq", "retry", "--queue", "default"), "1 job moved back to pending queue.\n");
});

queueTest(
  "list and show have what few jobs have: queue, tags, unique key, rules of retries",
  async (queue) => {
    await queue.enqueue({ id: "plain", command: "true" });
    const plain = (await queue.run("list")).stdout;
    assert.match(plain, /^ID {35}\| STATE {6}\| ATTEMPTS \| COMMAND\n/);
    const flags = [
      "--queue",
      "media",
      "--tag",
      "a,b",
      "--unique",
      "k 1",
      "--max-backoff",
      "10m",
      "--retry-on",
      "1,70-71",
    ];
    const added = await queue.run(
      "enqueue",
      "--id",
      "job",
      ...flags,
      "--jitter",
      "0.5",
      "--backoff",
      "linear",
      "true",
    );
    assert.equal(added.code, 0, added.stderr);
    const lines = (await queue.run("list")).stdout.split("\n").filter((line) => !line.startsWith("---"));
    assert.deepEqual(lines.map((line) => line.split(/ *\| */)), [
      ["ID", "QUEUE", "STATE", "ATTEMPTS", "COMMAND"],
      ["plain", "default", "pending", "0", "true"],
      ["job", "media", "pending", "0", "true"],
      [""],
    ]);
    const columns = (await queue.run("list", "--columns", "queue,tags,unique")).stdout.split("\n");
    assert.deepEqual(columns[3].split(/ *\| */), ["media", "a,b", "k 1"]);
    const expected = {
      queue: "media",
      tags: ["a", "b"],
      unique: "k 1",
      backoff: "linear",
      max_backoff: 600,
      jitter: 0.5,
      retry_on: [1, 70, 71],
      no_retry_on: null,
      held: false,
      blocked: 0,
    };
    const [, listed] = JSON.parse((await queue.run("list", "--json")).stdout);
    const shown = JSON.parse((await queue.run("show", "job", "--json")).stdout);
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual([name, listed[name], shown[name]], [name, value, value]);
    }
    const { stdout } = await queue.run("show", "job");
    assert.match(stdout, /^Queue: +media\nTags: +a, b\nUnique key: +k 1$/m);
    assert.match(
      stdout,
      /^Backoff: +base \* attempt seconds, at most 10m, jitter 0.5; the rest by setting$/m,
    );
    assert.match(stdout, /^Retried: +only after exit status 1, 70-71$/m);
    assert.doesNotMatch((await queue.run("show", "plain")).stdout, /Queue|Tags|Unique|rules|Held|Waits/);
  },
);

queueTest("edit --set tags gives a job other tags, --unset none", async (queue) => {
  await addJobs(queue);
  assert.equal((await queue.run("edit", "a", "b", "--set", "tags=x, y")).code, 0);
  assert.deepEqual((await queue.job("a")).tags, ["x", "y"]);
  assert.deepEqual(await listed(queue, "--tag", "x"), ["a", "b"]);
  assert.equal((await queue.run("edit", "a", "--unset", "tags")).code, 0);
  assert.deepEqual(await listed(queue, "--tag", "x"), ["b"]);
  for (const tags of ["", "a b", "x,,y"]) {
    const wrong = await queue.run("edit", "b", "--set", `tags=${tags}`);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^Each of field "tags" must be made of letters/);
  }
});
