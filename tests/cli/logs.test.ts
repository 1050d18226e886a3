import assert from "node:assert/strict";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { complain, printed, steps, untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

queueTest("logs prints what a job has printed, each output to its own", async (queue) => {
  await queue.enqueue({
    id: "job-1",
    command: steps("echo out", complain("err"), "exit 3"),
    maxRetries: 0,
  });
  await queue.enqueue({ id: "other", command: "true" });
  await queue.run("worker", "start", "--drain");
  const [out, err] = [printed("out"), printed("err")];
  const cases: Array<[string[], string, string]> = [
    [["job-1"], out, err],
    [["job"], out, err],
    [["--stdout", "job-1"], out, ""],
    [["--stderr", "job-1"], err, ""],
    [["other"], "", ""],
  ];
  for (const [args, stdout, stderr] of cases) {
    assert.deepEqual(await queue.run("logs", ...args), { code: 0, stdout, stderr }, args.join(" "));
  }
});

queueTest("logs prints what there is so far of a job that runs, and later its last run", async (queue) => {
  const command = steps("echo first", complain("bad"), untilFile("go"), "echo last", "exit 1");
  await queue.enqueue({ id: "a", command, maxRetries: 1 });
  const manager = queue.start();
  await waitFor("the first words", async () => (await queue.run("logs", "a")).stdout === printed("first"));
  assert.deepEqual(await queue.run("logs", "a"), {
    code: 0,
    stdout: printed("first"),
    stderr: printed("bad"),
  });
  queue.touch("go");
  await queue.reaches("a", "dead");
  assert.equal((await queue.run("logs", "--stdout", "a")).stdout, printed("first", "last"));
  await queue.stop(manager);
});

queueTest("logs of a job that has not run, or is not there", async (queue) => {
  await queue.enqueue({ id: "job-1", command: "true" }, { id: "job-2", command: "true" });
  const cases: Array<[string[], number, string]> = [
    [["job-1"], 0, "Job job-1 has not run yet.\n"],
    [["nothing"], 3, "No job found with id nothing\n"],
    [["job"], 2, 'Several jobs have ids that begin with "job": job-1, job-2; give more of the id\n'],
    [
      ["--stdout", "--stderr", "job-1"],
      2,
      "Flags --stdout and --stderr cannot be given together: without them both are printed\n",
    ],
  ];
  for (const [args, code, message] of cases) {
    const result = await queue.run("logs", ...args);
    assert.deepEqual([result.code, result.stdout], [code, ""], args.join(" "));
    assert.ok(result.stderr.endsWith(message), result.stderr);
  }
  assert.equal((await queue.run("logs")).code, 2);
});

queueTest("logs gives to a file or another program exactly what was printed", async (queue) => {
  await queue.enqueue({ id: "a", command: "printf '\\033[31mred\\033[0m\\tx\\r\\n'" });
  await queue.run("worker", "start", "--drain");
  assert.equal((await queue.run("logs", "a")).stdout, "\x1b[31mred\x1b[0m\tx\r\n");
}, { ignore: posixOnly("commands that print any bytes") });
