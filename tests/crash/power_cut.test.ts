/**
 * Power cuts, simulated: what the files hold at some moment, without some of what was not synced yet, is a queue that
 * has every acknowledged job.
 *
 * What a power cut can leave, by what SQLite syncs and when (https://www.sqlite.org/wal.html):
 * - the WAL without its end, from the last sync on, or with rubbish instead;
 * - pages of the database that a checkpoint was to write, written or not: all of them are still in the WAL.
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../src/store/open.ts";
import { canSeeEnvironments } from "../helpers/host_processes.ts";
import { type Load, startLoad } from "../helpers/load.ts";
import { runProgram } from "../helpers/program.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { type Random, seededRandom } from "../helpers/random.ts";

/** Where processes cannot be found they cannot be made to stand still. */
const options = { ignore: !canSeeEnvironments };

/** Both files at one moment, and what had been acknowledged before. */
interface Copy {
  database: Uint8Array;
  wal: Uint8Array;
  acknowledged: Map<string, number>;
}

/** Copies both files by another program: opening them here would drop the locks of this process. */
async function copyFiles(queue: Queue, load: Load): Promise<Copy> {
  const acknowledged = load.acknowledged();
  const folder = `${queue.path}/copy-${crypto.randomUUID()}`;
  await Deno.mkdir(folder);
  const names = ["queuectl.db", "queuectl.db-wal"];
  const { success } = await new Deno.Command("cp", {
    args: [...names.map((name) => `${queue.path}/${name}`), folder],
  })
    .output();
  assert.ok(success);
  const [database, wal] = await Promise.all(names.map((name) => Deno.readFile(`${folder}/${name}`)));
  return { database, wal, acknowledged };
}

/** What a computer would find after the cut; a sound database, or this fails. Gives the ids of its jobs. */
async function jobsAfter(
  queue: Queue,
  database: Uint8Array,
  wal: Uint8Array,
  place: string,
): Promise<Set<string>> {
  const folder = `${queue.path}/after`;
  await Deno.mkdir(folder);
  await Deno.writeFile(`${folder}/queuectl.db`, database, { mode: 0o600 });
  await Deno.writeFile(`${folder}/queuectl.db-wal`, wal, { mode: 0o600 });
  try {
    await using store = await openStore(`${folder}/queuectl.db`, { missing: "empty", durable: false });
    assert.deepEqual(await store.check(), [], place);
    return new Set((await store.list({ limit: 1_000_000 })).map(({ id }) => id));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The generation of a WAL: its salts, which change when it is begun anew. */
const generation = ({ wal }: Copy) => wal.subarray(16, 24).join();

/** Some pages of the one and some of the other: a checkpoint that was not synced. */
function mixedPages(earlier: Uint8Array, later: Uint8Array, random: Random): Uint8Array {
  const mixed = later.slice();
  const pageSize = 4096;
  for (let at = 0; at < earlier.length; at += pageSize) {
    if (random.below(2) === 0) mixed.set(earlier.subarray(at, at + pageSize), at);
  }
  // The file may not have grown yet.
  return random.below(2) === 0 ? mixed.subarray(0, earlier.length) : mixed;
}

queueTest("power cut: at any moment the files hold every job that was acknowledged", async (queue) => {
  const random = seededRandom();
  const manager = queue.start();
  const load = startLoad(queue, { checkpoints: true });
  const copies: Copy[] = [];
  while (copies.length < 8) {
    await load.more(1 + random.below(60));
    copies.push(await load.whileFrozen(() => copyFiles(queue, load)));
  }
  await manager.line(/completed successfully$/);
  await load.end();

  for (const [number, copy] of copies.entries()) {
    const { database, wal, acknowledged } = copy;
    const states = [database];
    const before = copies[number - 1];
    if (before && generation(before) === generation(copy)) {
      states.push(before.database, mixedPages(before.database, database, random));
    }
    for (const [state, pages] of states.entries()) {
      const place = `seed ${random.seed}, copy ${number}, state ${state}`;
      const jobs = await jobsAfter(queue, pages, wal, place);
      assert.deepEqual([...acknowledged.keys()].filter((id) => !jobs.has(id)), [], place);
    }
  }
}, options);

queueTest("power cut: a WAL that breaks off anywhere holds what was acknowledged up to there", async (queue) => {
  const random = seededRandom();
  // A reader that sees nothing of the WAL: as long as it is there, nothing of the WAL goes to the database, so every
  // length of it is one that a cut can leave.
  using reader = new DatabaseSync(`${queue.path}/queuectl.db`);
  const truncated = reader.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  assert.deepEqual({ ...truncated }, { busy: 0, log: 0, checkpointed: 0 });
  reader.exec("BEGIN; SELECT count(*) FROM jobs");
  const manager = queue.start();
  const load = startLoad(queue, { checkpoints: false });
  await load.more(150);
  await manager.line(/completed successfully$/);
  const { database, wal, acknowledged } = await load.whileFrozen(() => copyFiles(queue, load));
  await load.end();
  reader.exec("ROLLBACK");

  const lengths = [...new Set(acknowledged.values())];
  const places = [0, wal.length, ...lengths.filter(() => random.below(8) === 0)];
  while (places.length < 60) places.push(random.below(wal.length));
  let before = new Set<string>();
  for (const length of places.sort((a, b) => a - b)) {
    const place = `seed ${random.seed}, ${length} of ${wal.length} bytes`;
    // Instead of what is missing there may be whatever was in that place of the disk.
    const rest = [new Uint8Array(), new Uint8Array(9000), random.bytes(9000)][random.below(3)];
    const jobs = await jobsAfter(queue, database, concatenated(wal.subarray(0, length), rest), place);
    const expected = [...acknowledged].filter(([, end]) => end > 0 && end <= length).map(([id]) => id);
    assert.deepEqual(expected.filter((id) => !jobs.has(id)), [], place);
    assert.deepEqual([...before].filter((id) => !jobs.has(id)), [], `${place}: fewer than of a shorter one`);
    before = jobs;
  }
  // Of `queuectl enqueue` it is known only what is in all of it.
  assert.deepEqual([...acknowledged.keys()].filter((id) => !before.has(id)), []);
}, options);

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

queueTest("power cut: workers go on with what a copy holds, until all is done", async (queue) => {
  const manager = queue.start("--concurrency", "4");
  const load = startLoad(queue, { checkpoints: true });
  await load.more(60);
  await manager.line(/completed successfully$/);
  const copy = await load.whileFrozen(() => copyFiles(queue, load));
  await load.end();
  manager.signal("SIGKILL");
  await manager.closed;

  const folder = `${queue.path}/after`;
  await Deno.mkdir(folder);
  await Deno.writeFile(`${folder}/queuectl.db`, copy.database, { mode: 0o600 });
  await Deno.writeFile(`${folder}/queuectl.db-wal`, copy.wal, { mode: 0o600 });
  const env = { QUEUECTL_DB: `${folder}/queuectl.db` };
  const { code, stderr } = await runProgram(["worker", "start", "--concurrency", "4", "--drain"], {
    cwd: folder,
    env,
  });
  assert.deepEqual([code, stderr], [0, ""]);
  await using store = await openStore(env.QUEUECTL_DB, { missing: "empty", durable: false });
  const jobs = await store.list({ limit: 1_000_000 });
  const completed = new Set(jobs.filter(({ state }) => state === "completed").map(({ id }) => id));
  assert.deepEqual([...copy.acknowledged.keys()].filter((id) => !completed.has(id)), []);
  assert.deepEqual(await store.check(), []);
}, options);
