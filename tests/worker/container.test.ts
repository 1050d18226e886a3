/** Workers in a container: processes that nobody collects, and the time that a stop has. */

import assert from "node:assert/strict";
import { configFrom } from "../../src/job/settings.ts";
import { isInContainer, sendSignal, takeSnapshot } from "../../src/worker/host/processes.ts";
import { stopGrace } from "../../src/worker/worker.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { leftOut } from "../helpers/left_out.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { canRun, startWrapped } from "../helpers/wrapped_program.ts";

const container = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
const ignore = leftOut(
  Deno.build.os !== "linux" || !canRun(container[0], ...container.slice(1), "true"),
  "Only on Linux, as root: pid namespaces",
);

/** `worker start` as the first process of a namespace where these programs are there, but of no use. */
function startFirst(queue: Queue, useless: readonly string[], ...args: string[]) {
  for (const name of useless) {
    Deno.writeTextFileSync(`${queue.path}/${name}`, "#!/bin/sh\nexit 126\n", { mode: 0o755 });
  }
  const env = { ...queue.env, PATH: `${queue.path}:${Deno.env.get("PATH")}` };
  return queue.watch(startWrapped({ wrapper: container, args, cwd: queue.path, env }));
}

const zombies = 'cat /proc/[0-9]*/stat | grep ") Z "';
const orphan = { id: "orphan", command: "(sleep 0.1 &); (sleep 0.1 &); :" };
const untilNone = {
  id: "until-none",
  command: `until [ -z "$(${zombies})" ]; do sleep 0.1; done`,
  timeout: 20_000,
  maxRetries: 0,
};

for (const [name, useless] of [["perl", []], ["python3", ["perl"]]] as const) {
  queueTest(`as the first process it leaves no zombies, with the help of ${name}`, async (queue) => {
    await queue.enqueue(orphan, untilNone, { id: "bad", command: "exit 3", maxRetries: 0 });
    const manager = startFirst(queue, useless, "--drain");
    assert.equal((await manager.status).code, 1, manager.lines.join("\n"));
    assert.equal((await queue.job("until-none")).state, "completed");
    assert.doesNotMatch(manager.lines.join("\n"), /init/);
  }, { ignore: ignore || leftOut(!canRun(name, "--version"), `Only where ${name} is`), on: sqliteAlone });
}

queueTest("where nothing can collect them it says so, and works", async (queue) => {
  await queue.enqueue(orphan);
  const manager = startFirst(queue, ["perl", "python3"], "--drain");
  assert.equal((await manager.status).code, 0, manager.lines.join("\n"));
  assert.equal((await queue.job("orphan")).state, "completed");
  assert.match(manager.lines.join("\n"), /^queuectl is process 1 here, .* as by docker run --init$/m);
}, { ignore, on: sqliteAlone });

queueTest("TERM to the first process stops the manager below it", async (queue) => {
  await queue.store.setSetting("grace", "0s");
  await queue.enqueue({ id: "a", command: "touch ready; sleep 99" });
  const manager = startFirst(queue, []);
  await waitFor("the command", () => [...Deno.readDirSync(queue.path)].some(({ name }) => name === "ready"));
  const first = (await takeSnapshot()).processes.values().find(({ parent }) => parent === manager.pid)!;
  sendSignal(first.pid, "SIGTERM");
  assert.equal((await manager.status).code, 0);
  assert.equal(manager.lines.filter((line) => line === "Manager: stopping workers...").length, 1);
  assert.deepEqual(await queue.outcomes("a"), [["handed_back", null]]);
  assert.equal((await queue.job("a")).state, "pending");
}, { ignore, on: sqliteAlone });

Deno.test("in a container a stop takes less than the 10 seconds that engines give, unless another time is set", () => {
  const set = (grace: string) => configFrom([["grace", grace]]);
  assert.deepEqual([stopGrace(configFrom([]), false), stopGrace(configFrom([]), true)], [10_000, 4000]);
  assert.deepEqual([stopGrace(set("7s"), false), stopGrace(set("7s"), true)], [7000, 7000]);
  assert.ok(isInContainer({ host: "web/pid:[4026532201]" }));
  for (const host of ["web", "web/pid:[4026531836]"]) assert.ok(!isInContainer({ host }), host);
});
