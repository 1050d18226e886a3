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
import { ownIdentity, takeSnapshot } from "../../src/worker/host/processes.ts";
import { runFiles } from "../../src/worker/spool/spool.ts";
import { sqliteAlone } from "../helpers/drivers.ts";
import { kill, killAllWith } from "../helpers/host_processes.ts";
import { leftOut } from "../helpers/left_out.ts";
import { startLoad } from "../helpers/load.ts";
import {
  concatenated,
  type Copy,
  copyFiles,
  generation,
  jobsAfter,
  mixedPages,
  placeFiles,
} from "../helpers/power_cut.ts";
import { runProgram } from "../helpers/program.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { seededRandom } from "../helpers/random.ts";
import { executeOnFile } from "../helpers/sqlite_database.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { canRun, runWrapped } from "../helpers/wrapped_program.ts";

/**
 * What a power cut leaves of a server's files is the server's affair: this is about SQLite alone. And where processes
 * cannot be found they cannot be made to stand still.
 */
const options = () => ({
  on: sqliteAlone,
  ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: stopped processes"),
});

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
}, options());

queueTest(
  "power cut: a WAL that breaks off anywhere holds what was acknowledged up to there",
  async (queue) => {
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
      assert.deepEqual(
        [...before].filter((id) => !jobs.has(id)),
        [],
        `${place}: fewer than of a shorter one`,
      );
      before = jobs;
    }
    // Of `queuectl enqueue` it is known only what is in all of it.
    assert.deepEqual([...acknowledged.keys()].filter((id) => !before.has(id)), []);
  },
  options(),
);

queueTest("power cut: workers go on with what a copy holds, until all is done", async (queue) => {
  const manager = queue.start("--concurrency", "4");
  const load = startLoad(queue, { checkpoints: true });
  await load.more(60);
  await manager.line(/completed successfully$/);
  const copy = await load.whileFrozen(() => copyFiles(queue, load));
  await load.end();
  manager.signal("SIGKILL");
  await manager.closed;

  const file = await placeFiles(queue, copy.database, copy.wal);
  const args = ["--db", file, "worker", "start", "--concurrency", "4", "--drain"];
  const { code, stderr } = await runProgram(args, { cwd: queue.path, env: queue.env });
  assert.deepEqual([code, stderr], [0, ""]);
  await using store = await openStore(file, { missing: "empty", durable: false });
  const jobs = await store.list({ limit: 1_000_000 });
  const completed = new Set(jobs.filter(({ state }) => state === "completed").map(({ id }) => id));
  assert.deepEqual([...copy.acknowledged.keys()].filter((id) => !completed.has(id)), []);
  assert.deepEqual(await store.check(), []);
}, options());

/** Whether programs can be watched by strace, which containers often forbid. */
const hasStrace = Deno.build.os === "linux" && canRun("strace", "-qq", "-o", "/dev/null", "true");

/** The system calls of `queuectl` with these arguments, each with the path of its file, in their order. */
async function systemCalls(queue: Queue, args: string[], input: string): Promise<string[]> {
  const trace = `${queue.path}/trace`;
  const calls = "trace=fsync,fdatasync,write,writev,pwrite64,openat,mkdir";
  const wrapper = ["strace", "-f", "-y", "-qq", "-s", "200", "-o", trace, "-e", calls];
  const { code, stdout } = await runWrapped({ wrapper, args, cwd: queue.path, env: queue.env }, input);
  assert.equal(code, 0);
  assert.match(stdout, /inserted\.\n$/);
  return joinedCalls(await Deno.readTextFile(trace));
}

/** Calls that were interrupted by those of another thread are put together, at the place where they ended. */
function joinedCalls(trace: string): string[] {
  const begun = new Map<string, string>();
  return trace.split("\n").flatMap((line) => {
    const [, thread, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (text === undefined) return [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(text);
    if (unfinished) {
      begun.set(thread, unfinished[1]);
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    return [resumed ? (begun.get(thread) ?? "") + resumed[1] : text];
  });
}

queueTest("power cut: enqueue prints only after what it has written to the WAL is synced", async (queue) => {
  const lines = Array.from({ length: 500 }, (_, number) => `{"id": "line-${number}", "command": "true"}\n`);
  const cases: Array<[string[], string]> = [
    [["enqueue", '{"id": "one", "command": "true"}'], ""],
    [["enqueue", "-"], lines.join("")],
    // A new database, whose name has to be on the disk too.
    [["--db", "new.db", "enqueue", '{"id": "one", "command": "true"}'], ""],
  ];
  for (const [args, input] of cases) {
    const calls = await systemCalls(queue, args, input);
    const file = args[0] === "--db" ? "new.db" : "queuectl.db";
    const printed = calls.findIndex((call) => /^write\(1<.* inserted\.\\n"/.test(call));
    const before = calls.slice(0, printed);
    const written = before.findLastIndex((call) =>
      /^(p?writev?(64)?)\(/.test(call) && call.includes(`/${file}-wal>`)
    );
    const synced = before.findLastIndex((call) =>
      /^f(data)?sync\(.* = 0$/.test(call) && call.includes(`/${file}-wal>`)
    );
    const shown = before.filter((call) => call.includes(file)).slice(-5).join("\n");
    assert.ok(
      printed > 0 && written > 0 && written < synced,
      `${args}: ${printed} ${written} ${synced}\n${shown}`,
    );
    if (file === "new.db") {
      const made = before.findIndex((call) => /^openat\(.*O_EXCL/.test(call) && call.includes(`/${file}>`));
      const named = before.findIndex((call, index) =>
        index > made && call.startsWith("fsync(") && call.includes(`<${queue.path}>) = 0`)
      );
      assert.ok(made > 0 && named > made, before.filter((call) => call.includes(file)).join("\n"));
    }
  }
}, { on: sqliteAlone, ignore: !hasStrace });

queueTest(
  "power cut: after another boot nothing is adopted; what ran is lost and run again",
  async (queue) => {
    const command = `echo ran >>ran.$QUEUECTL_JOB_ID; ${untilFile("go")}`;
    await queue.enqueue(
      { id: "retried", command },
      { id: "spent", command, maxRetries: 0 },
      { id: "ended", command },
      { id: "not-written", command },
      { id: "not-started", command, maxRetries: 0 },
    );
    const ids = (await queue.store.list({ limit: 10 })).map(({ id }) => id);
    const first = queue.start("--concurrency", "5");
    await waitFor("all commands to run", () => ids.every((id) => queue.read(`ran.${id}`) !== ""));
    await kill(first.pid);
    await kill(await first.workerPid());
    await killAllWith(queue.path);

    // The processes of the earlier boot: their numbers, and even their starts, are those of processes of now.
    const [boot, own] = ["00000000-0000-4000-8000-000000000000", ownIdentity(await takeSnapshot())];
    executeOnFile(
      queue.store.location,
      `UPDATE processes SET boot = '${boot}', pid = ${own.pid}, start = '${own.start}'`,
    );
    const status = (number: number) => `${runFiles(queue.store.spool, number, 1)}.status`;
    for (const number of [1, 2, 3, 4]) {
      // Only the first line: a runner may have outlived its command by a moment, and have recorded that it was killed.
      const [word, , , , ...marks] = Deno.readTextFileSync(status(number)).split("\n")[0].split(" ");
      Deno.writeTextFileSync(status(number), `${[word, own.pid, own.start, boot, ...marks].join(" ")}\n`);
    }
    Deno.writeTextFileSync(status(3), "exit 0\n", { append: true });
    // What was not synced may be missing: the text of a file, or the file.
    Deno.writeTextFileSync(status(4), "");
    Deno.removeSync(status(5));
    queue.touch("go");

    const second = queue.start("--concurrency", "5", "--drain");
    assert.equal((await second.status).code, 1, "drain tells of the job that died");
    const lost = ["lost", null];
    const success = ["exited", 0];
    const expected = {
      retried: { state: "completed", attempts: 2, outcomes: [lost, success], ran: 2 },
      spent: { state: "dead", attempts: 1, outcomes: [lost], ran: 1 },
      ended: { state: "completed", attempts: 1, outcomes: [success], ran: 1 },
      "not-written": { state: "completed", attempts: 1, outcomes: [["handed_back", null], success], ran: 2 },
      "not-started": { state: "completed", attempts: 1, outcomes: [["handed_back", null], success], ran: 2 },
    };
    const found = await Promise.all(ids.map(async (id) => {
      const { state, attempts } = await queue.job(id);
      const ran = queue.read(`ran.${id}`).split("\n").length - 1;
      return [id, { state, attempts, outcomes: await queue.outcomes(id), ran }];
    }));
    assert.deepEqual(Object.fromEntries(found), expected);
    assert.match((await queue.job("spent")).lastError ?? "", /its host was started anew$/);
    assert.deepEqual(second.lines.filter((line) => /adopted/.test(line)), []);
  },
  options(),
);
