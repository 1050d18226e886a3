/** Operations on a PostgreSQL server: their statements one after another, in one transaction. */

import { type JobState, jobStates } from "../../job/job.ts";
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
import { number, type Row } from "../rows.ts";
import { timeSql } from "./clock.ts";
import { type Database, type Effort, readAsPlanned, readByIndexes, type Run } from "./connection/database.ts";
import { isKeyViolation } from "./connection/error_remedies.ts";
import { notification } from "./connection/notifications.ts";
import { choiceFor, createDialect } from "./filter_indexes.ts";
import { settleStatement } from "./settle_dependants.ts";
import { asArray, asJson } from "./values.ts";

/** Runs operations on a database. */
export function engineOn(database: Database): Engine {
  const perform = <T>(operation: (sql: Sql) => Steps<T>, effort: Effort) =>
    database.transaction((run) => take(run, operation(sqlOn(database))), effort);
  return {
    // Others wait for jobs that are changed, but for no more.
    patience: 100,
    read: (operation, { slow = false } = {}) =>
      perform(operation, { readOnly: true, pace: slow ? "slow" : "quick" }),
    write: (operation, { slow = false, once = false } = {}) =>
      perform(operation, { pace: slow ? "slow" : "quick", unknown: once ? "tell" : "again" }),
    isKeyViolation,
  };
}

/** Takes the steps of an operation, or of a part of one, in a transaction. */
export async function take<T>(run: Run, steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    const { text, parameters } = step.value;
    step = steps.next(await run(text, parameters));
  }
  return step.value;
}

/** All of it but the tag. */
type Words = { [Word in keyof Sql]: Sql[Word] };

/** What operations see of this engine. */
export function sqlOn(database: Database): Sql {
  const now: Part = (add) => timeSql(add(database.now()) as `$${number}`);

  function* run(text: TemplateStringsArray, ...values: ReadonlyArray<Part | Value>): Steps<readonly Row[]> {
    return yield statementOf(text, values, (number) => `$${number}`);
  }

  const sql: Sql = Object.assign(
    run,
    {
      now,
      forUpdate: "FOR NO KEY UPDATE",
      among: (values) => (add) =>
        typeof values[0] === "string"
          ? `= ANY (ARRAY(SELECT json_array_elements_text(${add(asJson(values))}::text::json)))`
          : `= ANY (${add(asArray(values as number[]))}::bigint[])`,
      rows: (name, columns, rows) => (add) => table(name, columns, rows, add),
      state: (state) => raw(`state = '${state}'`),
      merged: (column, change) => (add) =>
        `nullif(jsonb_strip_nulls(coalesce(${column}, '{}')::jsonb || ${
          add(JSON.stringify(change))
        }::text::jsonb)::text, '{}')`,
      held: raw("held"),
      claimable: raw("available"),
      running: raw("state = 'processing'"),
      by: () => raw(""),
      runs: {
        of: (seq) => (add) => `job = ${add(seq)}`,
        after: (_, run) => (add) => `run > ${add(run)}`,
        order: raw("run"),
      },
      *select(filter, states, write) {
        const parameters: Value[] = [];
        const dialect = createDialect(database, (value) => `$${parameters.push(value)}`);
        const text = write(dialect, choiceFor(dialect, filter, states));
        yield { text: readAsPlanned };
        const rows = yield { text, parameters };
        yield { text: readByIndexes };
        return rows;
      },
      *firstClaimable(limit) {
        return yield* run`
        SELECT seq, run FROM queuectl.queues CROSS JOIN LATERAL (
          SELECT seq, run, priority FROM queuectl.jobs WHERE available AND queue = name
          ORDER BY priority DESC, seq LIMIT ${limit}
        ) AS first ORDER BY priority DESC, seq LIMIT ${limit}`;
      },
      *counters() {
        const names = [...jobStates, "died"];
        const sums = names.map((name) => `sum(${name})::bigint AS ${name}`).join(", ");
        const [row] = yield* run`SELECT ${raw(sums)} FROM queuectl.counters`;
        return Object.fromEntries(names.map((name) => [name, number(row, name)])) as Record<
          JobState | "died",
          number
        >;
      },
      *jobsOf(queue) {
        const [row] = yield* run`
        SELECT coalesce(sum(${raw(jobStates.join(" + "))}), 0)::bigint AS jobs
        FROM queuectl.queue_counters WHERE queue = ${queue}`;
        return number(row, "jobs");
      },
      // Other sessions may be about to change its counters.
      *forgetQueue() {},
      // Triggers count.
      moved: () => {},
      *forgetRuns(jobs) {
        yield* run`DELETE FROM queuectl.attempts WHERE job ${sql.among(jobs)}`;
      },
      *lock(jobs) {
        yield* run`
        SELECT seq FROM queuectl.jobs WHERE seq ${sql.among(jobs)} ORDER BY seq ${raw(sql.forUpdate)}`;
        return true;
      },
      *settle(jobs) {
        if (jobs.length === 0) return 0;
        const [row] = yield settleStatement(database, jobs);
        return number(row, "cancelled");
      },
      /*
       * Whoever claims holds the lock of a reader for update on this table until the end of the transaction: so a new limit
       * counts for all that begins later, and before it is acknowledged all has ended that did not know it.
       */
      *lockQueues(against) {
        const mode = raw(against === "claims" ? "EXCLUSIVE" : "ROW EXCLUSIVE");
        yield* run`LOCK TABLE queuectl.queues IN ${mode} MODE`;
      },
      *announce() {
        yield notification(database);
      },
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
  const typed = Object.entries(columns).map(([column, type]) =>
    type === "text" ? `${column} text COLLATE "C"` : `${column} ${type}`
  );
  const values = rows.map((row) =>
    Object.fromEntries(
      Object.keys(columns).map((column) => [column, (row as Record<string, unknown>)[column] ?? null]),
    )
  );
  return `json_to_recordset(${add(asJson(values))}::text::json) AS ${name} (${typed.join(", ")})`;
}
