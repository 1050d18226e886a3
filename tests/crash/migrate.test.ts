/**
 * `migrate` is killed: at every place that src/base/failpoint.ts names, and at any moment. Then the queue is whole in the
 * source, or whole in the target with a source that refuses every change, until the same command has finished the move.
 */

import assert from "node:assert/strict";
import { posixOnly, sourceOnly } from "../helpers/left_out.ts";
import { jobStates } from "../../src/job/job.ts";
import { openStore } from "../../src/store/open.ts";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { runCommandLines } from "../helpers/command_lines.ts";
import { type Driver, drivers, type Place } from "../helpers/drivers.ts";
import { programCommand, runProgram } from "../helpers/program.ts";
import { type QueueRows, queueRows } from "../helpers/queue_rows.ts";
import { seededRandom } from "../helpers/random.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { fill } from "../store/suite/moving.ts";
import { manualClock, newJob } from "../store/suite/harness.ts";

interface Subject {
  path: string;
  from: Place;
  to: Place;
  /** What was in the source. */
  before: QueueRows;
  migrate(env?: Record<string, string>): ReturnType<typeof runProgram>;
  run(place: Place, ...args: string[]): ReturnType<typeof runProgram>;
}

const failpoints = ["moving", "loaded", "sealed", "arrived", "emptying"] as const;

/** Registers a test that gets a queue of some jobs of all states, and of `more` that wait. */
function crashTest(
  [one, other]: readonly [Driver, Driver],
  name: string,
  more: number,
  body: (subject: Subject) => Promise<void>,
): void {
  Deno.test({
    name: `${one.name} → ${other.name}: ${name}`,
    ignore: one.ignore || other.ignore || sourceOnly("failpoints") || posixOnly("failpoints"),
    async fn() {
      await using folder = await temporaryFolder();
      const { path } = folder;
      for (const end of ["from", "to"]) Deno.mkdirSync(`${path}/${end}`);
      await using from = one.place(`${path}/from`);
      await using to = other.place(`${path}/to`);
      {
        const clock = manualClock();
        await using store = await openStore(from.url, {
          missing: "create",
          durable: false,
          clock: clock.now,
        });
        await fill(store, clock);
        await store.enqueue(Array.from({ length: more }, (_, index) => newJob(`more ${index}`)));
      }
      const run = (place: Place, ...args: string[]) =>
        runProgram(args, { cwd: path, env: { QUEUECTL_DB: place.url } });
      const migrate = (env: Record<string, string> = {}) =>
        runProgram(["migrate", "--from", from.url, "--to", to.url], { cwd: path, env });
      await body({ path, from, to, before: await queueRows(from.url), migrate, run });
      for (const place of [from, to]) {
        await place.assertSound();
        assert.match((await run(place, "doctor")).stdout, /^ok {4}The data is sound$/m);
      }
    },
  });
}

/** Everything is in the target, once, and the source is as new. */
async function assertMoved({ from, to, before, run }: Subject): Promise<void> {
  assert.deepEqual(await queueRows(to.url), before);
  const { jobs, attempts, config, counters } = await queueRows(from.url);
  assert.deepEqual([jobs, attempts, config], [[], [], []]);
  assert.deepEqual(counters, Object.fromEntries([...jobStates, "died"].map((name) => [name, 0])));
  for (const place of [from, to]) {
    const { code, stdout } = await run(place, "enqueue", '{"id": "after", "command": "true"}');
    assert.deepEqual([code, stdout], [0, "Job after inserted.\n"]);
  }
}

/** The source refuses changes, says what to do, and can be read. */
async function assertSealed({ path, from, before }: Subject): Promise<void> {
  const commands = [
    ["enqueue", '{"command": "true"}'],
    ["worker", "start", "--drain"],
    ["dlq", "retry", "--all"],
    ["cancel", "later"],
    ["config", "set", "timeout", "1h"],
    ["doctor"],
    ["list", "--json"],
  ];
  const results = await runCommandLines(commands.map((args) => ["--db", from.url, ...args]), path);
  const [doctor, list] = results.splice(-2);
  for (const [index, { code, stderr }] of results.entries()) {
    assert.equal(code, 4, `${commands[index][0]}: ${stderr}`);
    assert.match(stderr, /^The queue in .* is being moved to .*queuectl migrate --from .* --to .*\n$/);
  }
  assert.equal(doctor.code, 5);
  assert.match(doctor.stdout, /^error The queue in .* is being moved to /m);
  assert.deepEqual(await queueRows(from.url), before);
  assert.equal(JSON.parse(list.stdout).length, before.jobs.length);
}

const pairs = drivers.flatMap((one) => drivers.map((other) => [one, other] as const));

for (const pair of pairs) {
  for (const place of failpoints) {
    crashTest(
      pair,
      `a move is killed at "${place}", and finished by the same command`,
      0,
      async (subject) => {
        const { path, from, to, before, migrate } = subject;
        const passed = `${path}/passed`;
        const killed = await migrate({ QUEUECTL_FAILPOINT: `${place}=${passed}` });
        assert.deepEqual([killed.code, killed.stdout], [137, ""], killed.stderr);
        Deno.statSync(passed);
        assert.deepEqual(await queueRows(from.url), before, "the source is as it was");
        const arrived = place === "arrived" || place === "emptying";
        const there = await queueRows(to.url);
        assert.deepEqual(arrived ? there : there.jobs, arrived ? before : []);
        if (place === "moving" || place === "loaded") {
          const { code } = await subject.run(from, "config", "get", "timeout");
          assert.equal(code, 0);
        } else {
          await assertSealed(subject);
        }
        const { code, stdout, stderr } = await migrate();
        assert.deepEqual([code, stderr], [0, ""]);
        assert.match(stdout, arrived ? /^Finished an earlier move: 9 jobs / : /^Moved 9 jobs /);
        await assertMoved(subject);
      },
    );
  }
}

crashTest(pairs[0], "a queue that was sealed for one place is not moved to another", 0, async (subject) => {
  const { path, from, to, migrate, run } = subject;
  assert.equal((await migrate({ QUEUECTL_FAILPOINT: `arrived=${path}/passed` })).code, 137);
  const { code, stderr } = await run(from, "migrate", "--from", from.url, "--to", `${path}/third.db`);
  assert.equal(code, 4);
  assert.ok(stderr.includes(`queuectl migrate --from ${from.url} --to ${to.url}`), stderr);
  // Nor back, or the jobs would be there twice.
  const back = await run(from, "migrate", "--from", to.url, "--to", from.url);
  assert.equal(back.code, 4, back.stderr);
  assert.equal((await migrate()).code, 0);
  await assertMoved(subject);
});

crashTest(pairs[0], "a move whose target is lost begins anew there, or is abandoned", 0, async (subject) => {
  const { path, from, to, before, migrate, run } = subject;
  const abandon = (...flags: string[]) => run(from, "migrate", "--from", from.url, "--abandon", ...flags);
  const nothing = await abandon();
  assert.deepEqual([nothing.code, nothing.stdout], [4, ""]);
  assert.match(nothing.stderr, /^No move of the queue in .* was interrupted/);
  const lose = async (number: number) => {
    assert.equal((await migrate({ QUEUECTL_FAILPOINT: `arrived=${path}/passed.${number}` })).code, 137);
    for (const suffix of ["", "-wal", "-shm"]) Deno.removeSync(`${to.url}${suffix}`);
  };
  await lose(1);
  const abandoned = await abandon();
  assert.deepEqual([abandoned.code, abandoned.stderr], [0, ""]);
  assert.match(abandoned.stdout, /^The queue is used on in .*; its move to .* is given up\.\n$/);
  assert.deepEqual(await queueRows(from.url), before);
  await lose(2);
  const again = await abandon("--json");
  const { from: kept, to: lost, abandoned: isAbandoned } = JSON.parse(again.stdout);
  assert.ok(from.url.endsWith(kept) && to.url.endsWith(lost), again.stdout);
  assert.deepEqual([again.code, isAbandoned], [0, true]);
  await lose(3);
  assert.match((await migrate()).stdout, /^Moved 9 jobs /);
  await assertMoved(subject);
});

crashTest(pairs[0], "two moves of the same pair at once: one of them does it", 500, async (subject) => {
  const [one, other] = await Promise.all([subject.migrate(), subject.migrate()]);
  const codes = [one.code, other.code].toSorted();
  assert.ok(codes[0] === 0 && (codes[1] === 0 || codes[1] === 4), one.stderr + other.stderr);
  assert.deepEqual((await queueRows(subject.to.url)).jobs, subject.before.jobs);
});

for (const pair of pairs.filter(([one, other]) => one !== other)) {
  crashTest(pair, "a move is killed at any moment, again and again", 3000, async (subject) => {
    const { path, from, to, before, migrate } = subject;
    const random = seededRandom();
    let isDone = false;
    for (let round = 0; round < 8 && !isDone; round++) {
      const child = programCommand(["migrate", "--from", from.url, "--to", to.url], {
        cwd: path,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const timer = setTimeout(() => sendSignal(child.pid, "SIGKILL"), 100 + random.below(500));
      const { success } = await child.status;
      clearTimeout(timer);
      await using source = await openStore(from.url, { missing: "empty", durable: false });
      await using target = await openStore(to.url, { missing: "create", durable: false });
      const begun = await (await source.moving()).begun();
      // With the lock: the server may still be at work for the one that was killed.
      const arrived = await (await target.moving()).hasArrived(begun?.id ?? "");
      const [here, there] = [(await queueRows(from.url)).jobs.length, (await queueRows(to.url)).jobs.length];
      const all = before.jobs.length;
      const said = JSON.stringify({ seed: random.seed, success, begun, arrived, here, there, all });
      assert.ok(here === all ? there === 0 || begun !== null && arrived : here === 0 && there === all, said);
      if (success) assert.equal(here, 0, said);
      // Killed after the last commit and before its exit: done all the same, and once more would be another move.
      isDone = here === 0;
    }
    if (!isDone) assert.deepEqual((await migrate()).stderr, "");
    await assertMoved(subject);
  });
}
