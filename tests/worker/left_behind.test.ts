/** What a job leaves running on purpose is out of reach of the jobs after it, which may signal their whole group. */

import assert from "node:assert/strict";
import { commandTest } from "../helpers/command_test.ts";
import { isRunning, kill } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { waitFor } from "../helpers/wait_for.ts";

queueTest("a job that signals its whole group does not reach what earlier ones have left", async (queue) => {
  Deno.writeTextFileSync(`${queue.path}/leave.sh`, "sleep 99 >/dev/null 2>&1 &\necho $! >script\n");
  // An environment of its own, so that the end of the test does not look for it.
  const leave = "env -i /bin/sleep 99 >/dev/null 2>&1 & echo $! >text";
  await queue.enqueue(
    { id: "text", command: leave, priority: 9 },
    { id: "script", command: "env -i PATH=/bin:/usr/bin sh leave.sh", priority: 8 },
    { id: "group", command: "kill 0", maxRetries: 0, priority: 7 },
    { id: "program", command: "sh -c 'trap \"\" TERM; kill 0; exit 3'", maxRetries: 0, priority: 6 },
  );
  queue.start("--concurrency", "1");
  assert.equal((await queue.reaches("program", "dead")).attempts, 1);
  assert.deepEqual(await queue.outcomes("group"), [["signaled", 143]]);
  assert.deepEqual(await queue.outcomes("program"), [["exited", 3]]);
  const left = ["text", "script"].map((name) => Number(queue.read(name)));
  try {
    for (const pid of left) assert.ok(await isRunning(pid), `${pid}`);
  } finally {
    for (const pid of left) await kill(pid);
  }
}, { ignore: posixOnly("groups of processes") });

commandTest("a runner whose command has left nothing is used again, another one is not", async (commands) => {
  const { start, read } = commands;
  const runnerOf = async (name: string, command: string) => {
    const run = start(name, command);
    await run.ended;
    return Number(run.output());
  };
  const parent = "exec sh -c 'echo $PPID'";
  // Everything that may have left something is looked at: one after another, until a runner comes again.
  const used = new Set<number>();
  await waitFor("a runner that is used again", async () => {
    const size = used.size;
    return used.add(await runnerOf(`run-${size}`, `: & ${parent}`)).size === size;
  });
  const left = await runnerOf("left", `env -i /bin/sleep 99 >/dev/null 2>&1 & echo $! >pid; ${parent}`);
  try {
    await waitFor("the end of its runner", async () => !await isRunning(left));
  } finally {
    await kill(Number(read("pid")));
  }
});
