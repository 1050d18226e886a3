/** A database whose file is removed or replaced while it is used: nobody goes on in silence on what has no name any more. */

import assert from "node:assert/strict";
import { removeIfThere } from "../../src/base/files.ts";
import { openStore } from "../../src/store/open.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { untilNoneWith } from "../helpers/host_processes.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { type Manager, watchManager } from "../helpers/manager.ts";
import { programCommand } from "../helpers/program.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { jobById, newJob } from "../store/suite/harness.ts";

/** A queue in a folder of its own, with a job that runs until it is ended. */
async function startIn(queue: Queue, folder: string): Promise<{ file: string; manager: Manager }> {
  const file = `${queue.path}/${folder}/queuectl.db`;
  await Deno.mkdir(`${queue.path}/${folder}`);
  {
    await using store = await openStore(file, { missing: "create", durable: false });
    await store.setSetting("grace", "0s");
    const command = "echo ran >>ran; echo shown; sleep 99";
    await store.enqueue([
      newJob("a", { command, cwd: queue.path, env: { MARK: `${queue.path}/${folder}` } }),
    ]);
  }
  const manager = queue.start("--db", file);
  await waitFor("the command to run", () => queue.read("ran") !== "", () => manager.lines.join("\n"));
  return { file, manager };
}

const words = /^The database .*queuectl\.db was removed, or another file is in its place$/;

/** All of it ends, by one error. */
async function assertEnds(manager: Manager): Promise<void> {
  await manager.line(words);
  assert.equal((await manager.status).code, 5, manager.lines.join("\n"));
  await manager.closed;
  assert.equal(manager.lines.filter((line) => words.test(line)).length, 1, manager.lines.join("\n"));
}

const options = { on: sqliteAlone, ignore: posixOnly("files that are open can be removed") };

queueTest("removed: manager, worker and command end, and no new database is made", async (queue) => {
  const { file, manager } = await startIn(queue, "removed");
  const followers = [["logs", "-f", "a"], ["logs", "-f", "--all"]].map((args) =>
    queue.watch(watchManager(
      programCommand(["--db", file, ...args], {
        cwd: queue.path,
        env: queue.env,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    ))
  );
  for (const follower of followers) await follower.line(/shown$/);
  await Deno.remove(`${queue.path}/removed`, { recursive: true });
  await assertEnds(manager);
  await untilNoneWith(`${queue.path}/removed`);
  assert.throws(() => Deno.statSync(`${queue.path}/removed`), Deno.errors.NotFound);
  for (const follower of followers) await assertEnds(follower);
}, options);

queueTest("moved: what ran is handed back where the file is now", async (queue) => {
  const { manager } = await startIn(queue, "before");
  await Deno.rename(`${queue.path}/before`, `${queue.path}/after`);
  await assertEnds(manager);
  await untilNoneWith(`${queue.path}/before`);
  await using store = await openStore(`${queue.path}/after/queuectl.db`, {
    missing: "empty",
    durable: false,
  });
  const { state, attempts } = await jobById(store, "a");
  assert.deepEqual([state, attempts, await store.processes()], ["pending", 0, []]);
}, options);

queueTest("replaced: the workers end, and leave the other database alone", async (queue) => {
  const { file, manager } = await startIn(queue, "replaced");
  const other = `${queue.path}/other.db`;
  {
    await using store = await openStore(other, { missing: "create", durable: false });
    await store.enqueue([newJob("b", { command: "echo b >>ran" })]);
  }
  await Deno.rename(other, file);
  await assertEnds(manager);
  for (const suffix of ["-wal", "-shm"]) removeIfThere(`${file}${suffix}`);
  await using store = await openStore(file, { missing: "empty", durable: false });
  assert.deepEqual([(await jobById(store, "b")).state, await store.processes()], ["pending", []]);
}, options);
