/**
 * Rows whose values are of no use, in an otherwise sound database: each is told by name in one line, the others are
 * listed and run, and nobody gets a stack. What a column of a server cannot hold at all is tried on files alone.
 */

import assert from "node:assert/strict";
import { drivers, sqliteAlone } from "../helpers/drivers.ts";
import { queueTest } from "../helpers/queue_test.ts";
import type { ProgramResult } from "../helpers/program.ts";

/** One more than the last whole number that a JavaScript number can be, and the same as 64 bits can be. */
const large = "9007199254740993";
const largest = "9223372036854775807";

/** What is put where; the third says that only a file can hold it. */
const damages: Array<[column: string, value: string, onlyFiles?: true]> = [
  ["created_at", large],
  ["updated_at", "8700000000000000"],
  ["next_attempt_at", largest],
  ["timeout", largest],
  ["tags", "'5'"],
  ["tags", "'{'"],
  ["state", "'odd'"],
  ["attempts", largest, true],
  ["max_retries", large, true],
  ["priority", `-${large}`, true],
  ["base_backoff", "9e999"],
];

/** One line, that is no stack. */
function assertLine(result: ProgramResult, code: number, ...parts: RegExp[]): void {
  assert.match(result.stderr, /^[^\n]+\n$/, result.stderr);
  assert.doesNotMatch(result.stderr, /\bat [\w.]+ \(|Error:/);
  for (const part of parts) assert.match(result.stderr, part);
  assert.equal(result.code, code, result.stderr);
}

for (const [column, value, onlyFiles] of damages) {
  queueTest(
    `damage: ${column} ${value} is told by its row, others are listed and run`,
    async (queue) => {
      await queue.enqueue({ id: "before", command: "touch before" });
      await queue.enqueue({ id: "damaged", command: "touch ran", held: true });
      await queue.enqueue({ id: "after", command: "touch after" });
      const isServer = queue.place.url.startsWith("postgres");
      const stored = value === "9e999" && isServer ? "'Infinity'" : value;
      await queue.place.query(`UPDATE jobs SET ${column} = ${stored} WHERE id = 'damaged'`);
      for (const flags of [[], ["--json"], ["--all"], ["--columns", "id"]]) {
        const list = await queue.run("list", ...flags);
        assertLine(list, 5, /"damaged"/, new RegExp(`"${column}"`));
        assert.match(list.stdout, /before/);
        assert.match(list.stdout, /after/);
      }
      assertLine(await queue.run("show", "damaged"), 5, /"damaged"/);
      const doctor = await queue.run("doctor");
      assert.equal(doctor.code, 5);
      assert.match(doctor.stdout, /damaged|state that does not exist/);
      const manager = queue.start("--drain");
      await manager.status;
      assert.deepEqual([queue.read("ran"), (await queue.store.counts()).completed], ["", 2]);
      const removed = await queue.run("rm", "damaged");
      if (column !== "state" && !value.includes("{")) {
        assert.equal(removed.code, 0, removed.stderr);
        assert.equal((await queue.run("list")).code, 0);
      }
    },
    { on: onlyFiles ? sqliteAlone : drivers },
  );
}

queueTest("damage: a job whose fields no worker can read fails with words, once", async (queue) => {
  await queue.enqueue({ id: "damaged", command: "touch ran" });
  await queue.place.query(`UPDATE jobs SET timeout = ${large} WHERE id = 'damaged'`);
  const manager = queue.start("--drain");
  await manager.status;
  assert.equal(queue.read("ran"), "");
  assert.equal((await queue.store.counts()).dead, 1);
  const picked = manager.lines.filter((line) => /picked job damaged/.test(line));
  assert.equal(picked.length, 1, manager.lines.join("\n"));
  const [{ last_error: error }] = await queue.place.query("SELECT last_error FROM jobs");
  assert.match(String(error), /"timeout" of job "damaged"/);
});

queueTest(
  "damage: a job whose run has no number is set aside, not looked at again and again",
  async (queue) => {
    await queue.enqueue({ id: "damaged", command: "touch ran" }, { id: "sound", command: "true" });
    await queue.place.query(`UPDATE jobs SET claim = ${largest} WHERE id = 'damaged'`);
    const manager = queue.start("--drain");
    await manager.status;
    assert.deepEqual([queue.read("ran"), (await queue.store.counts()).completed], ["", 1]);
    assert.equal((await queue.store.counts()).dead, 1);
  },
  { on: sqliteAlone },
);

queueTest("damage: a run that cannot be read leaves its job to be shown", async (queue) => {
  await queue.enqueue({ id: "a", command: "true" });
  await queue.start("--drain").status;
  await queue.place.query(`UPDATE attempts SET ended_at = ${large}`);
  const show = await queue.run("show", "a");
  assertLine(show, 5, /"ended_at"/);
  assert.match(show.stdout, /completed/);
  const doctor = await queue.run("doctor");
  assert.deepEqual([doctor.code, /"ended_at"/.test(doctor.stdout)], [5, true]);
});
