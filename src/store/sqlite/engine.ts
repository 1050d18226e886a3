/** Operations on a SQLite file: the statements of each run at once, in one transaction. */

import type { SQLInputValue } from "node:sqlite";
import type { JobState } from "../../job/job.ts";
import { number, type Row } from "../columns.ts";
import {
  type ColumnType,
  type Engine,
  type Part,
  raw,
  type Sql,
  statementOf,
  type Steps,
  type Value,
} from "../sql.ts";
import { attemptKey, attemptsOf } from "./attempt_key.ts";
import { firstClaimable } from "./claimable.ts";
import { openTally, readCounters, type Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import { choiceFor, createDialect, plainChoice } from "./filter_indexes.ts";
import { claimable } from "./schema.ts";
import { settle } from "./settle_dependants.ts";

/** Runs operations on a database. */
export function engineOn(database: Database): Engine {
  return {
    // Whoever writes keeps out all others.
    patience: 10,
    read: (operation) => database.read(() => perform(database, operation)),
    write: (operation) => database.write(() => perform(database, operation)),
    isKeyViolation: (error) => String((error as Error).cause ?? error).includes("jobs.unique_key"),
  };
}

/** Runs an operation in the transaction that goes on; the counters go along with it. */
export function perform<T>(database: Database, operation: (sql: Sql) => Steps<T>): T {
  const tally = openTally(database);
  const result = take(database, operation(sqlOn(database, tally)));
  tally.write();
  return result;
}

/** Takes the steps of an operation, or of a part of one, in the transaction that goes on. */
export function take<T>(database: Database, steps: Steps<T>): T {
  let step = steps.next();
  while (!step.done) {
    const { text, parameters = [] } = step.value;
    const values = parameters.map((value) => typeof value === "boolean" ? Number(value) : value);
    step = steps.next(database.prepare(plain(text)).all(...values as SQLInputValue[]));
  }
  return step.value;
}

const texts = new Map<string, string>();

/** A text without the name of the schema before those of tables. */
function plain(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  const changed = text.replaceAll("queuectl.", "");
  texts.set(text, changed);
  return changed;
}

/** All of it but the tag. */
type Words = { [Word in keyof Sql]: Sql[Word] };

/** What operations see of this engine; `tally` counts what they move. */
export function sqlOn(database: Database, tally: Tally): Sql {
  const now = database.now();
  const list = (values: readonly unknown[]): Part => (add) =>
    `(SELECT value FROM json_each(${add(JSON.stringify(values))}))`;

  function* run(text: TemplateStringsArray, ...values: ReadonlyArray<Part | Value>): Steps<readonly Row[]> {
    return yield statementOf(text, values, (number) => `?${number}`);
  }

  // deno-lint-ignore require-yield
  function* counters(): Steps<Record<JobState | "died", number>> {
    return readCounters(database);
  }

  const sql: Sql = Object.assign(
    run,
    {
      now: (add) => add(now),
      forUpdate: "",
      among: (values) => (add) => `IN ${list(values)(add)}`,
      rows: (name, columns, rows) => (add) => table(name, columns, rows, add),
      state: (state) =>
        raw(`state = '${state}', set_aside = ${["dead", "cancelled"].includes(state) ? "1" : "NULL"}`),
      merged: (column, change) => (add) =>
        `nullif(json_patch(coalesce(${column}, '{}'), ${add(JSON.stringify(change))}), '{}')`,
      held: raw("held = 1"),
      claimable: raw(claimable),
      running: raw("worker IS NOT NULL"),
      by: (index) => raw(`INDEXED BY ${index}`),
      runs: {
        of: (seq) => (add) => attemptsOf(add(seq)),
        after: (seq, run) => (add) => `key > ${attemptKey(add(seq), add(run))}`,
        order: raw("key"),
      },
      *select(filter, states, write, areFound = false) {
        const parameters: Value[] = [];
        const dialect = createDialect(database, (value) => `?${parameters.push(value)}`);
        const choice = areFound
          ? plainChoice(dialect, filter, states)
          : choiceFor(database, dialect, filter, states);
        return choice === undefined ? [] : yield { text: write(dialect, choice), parameters };
      },
      // deno-lint-ignore require-yield
      *firstClaimable(limit) {
        return firstClaimable(database, limit, "seq, priority, run");
      },
      counters,
      *jobsOf(queue) {
        const [row] = yield* run`
        SELECT coalesce(sum(value), 0) AS jobs FROM queue_counters WHERE queue = ${queue}`;
        // One that has none is about to be removed.
        return number(row, "jobs");
      },
      *forgetQueue(queue) {
        yield* run`DELETE FROM queue_counters WHERE queue = ${queue}`;
      },
      moved(jobs, to) {
        for (const { state, queue } of jobs) {
          tally.move(state, null, 1, queue);
          if (to !== null) tally.move(null, to.state ?? state, 1, to.queue ?? queue);
        }
      },
      *forgetRuns(jobs) {
        for (const seq of jobs) yield* run`DELETE FROM attempts WHERE ${sql.runs.of(seq)}`;
      },
      // deno-lint-ignore require-yield
      *lock() {
        return false;
      },
      *settle(jobs) {
        return yield* settle(sql, jobs);
      },
      *lockQueues() {},
      *announce() {},
      tellDamage: database.tellDamage,
    } satisfies Words,
  );
  return sql;
}

function table(
  name: string,
  columns: Record<string, ColumnType>,
  rows: readonly object[],
  add: (value: string) => string,
): string {
  const names = Object.keys(columns);
  const values = rows.map((row) => names.map((column) => (row as Record<string, unknown>)[column] ?? null));
  const selected = names.map((column, index) => `value ->> ${index} AS ${column}`).join(", ");
  return `(SELECT ${selected} FROM json_each(${add(JSON.stringify(values))})) AS ${name}`;
}
