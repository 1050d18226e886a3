/** The target of a move: writing a whole queue, in one transaction. */

import { listProcesses } from "../operations/processes.ts";
import { type Arrival, type Batch, movedColumns, type Rest } from "../transfer_types.ts";
import type { Database, Run } from "./connection/database.ts";
import { count, jobsTable, lastSeq, openLocked } from "./transfer_lock.ts";
import { notification } from "./connection/notifications.ts";
import { deaths } from "../operations/counts.ts";
import { engineOn } from "./engine.ts";
import { asJson, storable } from "./values.ts";

/** Locks the queue and adds another one's rows to it. */
export async function arrive(whole: Database): Promise<Arrival> {
  const transaction = await openLocked(whole);
  await using stack = new AsyncDisposableStack();
  stack.use(transaction);
  const { run, database } = transaction;
  const deathsHere = await engineOn(database).read(deaths);
  const arrival: Arrival = {
    processes: await engineOn(database).read(listProcesses),
    jobs: await count(run, "queuectl.jobs"),
    add: (batch) => insert(run, batch),
    complete: (move, rest) => complete(database, run, move, rest, deathsHere),
    commit: () => transaction.commit(),
    [Symbol.asyncDispose]: () => transaction[Symbol.asyncDispose](),
  };
  stack.move();
  return arrival;
}

/** Which type the kinds of columns have here. */
const types = { whole: "bigint", real: "double precision", text: "text", flag: "boolean" };

async function insert(run: Run, { table, rows }: Batch): Promise<void> {
  const columns = Object.entries(movedColumns[table]).map(([name, kind]) => ({
    name,
    type: types[kind.replace("?", "") as keyof typeof types],
  }));
  const names = columns.map(({ name }) => name).join(", ");
  // The claim of a result that has been recorded is asked for only by the worker that has recorded it.
  const into = `INSERT INTO queuectl.${table} (${names}${table === "attempts" ? ", claim" : ""})`;
  const claim = table === "attempts" ? ", 0" : "";
  const stored = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "string" ? storable(value) : value,
      ]),
    )
  );
  if (stored.length === 1) {
    // Perhaps very long, which JSON could make longer still.
    const values = columns.map(({ type }, index) => `$${index + 1}::${type}`).join(", ");
    await run(`${into} VALUES (${values}${claim})`, columns.map(({ name }) => stored[0][name]));
    return;
  }
  const typed = columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  await run(
    `${into} SELECT ${names}${claim} FROM json_to_recordset($1::text::json) AS moved (${typed})`,
    [asJson(stored)],
  );
}

async function complete(
  database: Database,
  run: Run,
  move: string,
  { settings, queues, starts, deaths, lastSeq: last }: Rest,
  deathsHere: number,
): Promise<void> {
  await run("DELETE FROM queuectl.queues");
  await run(
    `INSERT INTO queuectl.queues (name, paused, concurrency, rate, rate_period, max_retries, timeout)
     SELECT name, paused, concurrency, rate, "ratePeriod", "maxRetries", timeout
     FROM json_to_recordset($1::text::json) AS queue (name text, paused boolean, concurrency integer, rate integer,
       "ratePeriod" bigint, "maxRetries" integer, timeout bigint)`,
    [asJson(queues)],
  );
  await run("DELETE FROM queuectl.starts");
  await run(
    `INSERT INTO queuectl.starts (queue, at, jobs) SELECT queue, at, jobs
     FROM json_to_recordset($1::text::json) AS started (queue text, at bigint, jobs integer)`,
    [asJson(starts)],
  );
  await run(`INSERT INTO queuectl.tags (tag, job)
    SELECT DISTINCT value, seq FROM queuectl.jobs, json_array_elements_text(tags::json) WHERE tags IS NOT NULL`);
  // The triggers have counted the dead ones as new deaths.
  await run("UPDATE queuectl.counters SET died = CASE shard WHEN 0 THEN $1::bigint ELSE 0 END", [
    deathsHere + deaths,
  ]);
  const highest = Math.max(last, await lastSeq(database, run));
  if (highest > 0) {
    await run("SELECT setval(pg_get_serial_sequence($1, 'seq')::regclass, $2::bigint)", [
      jobsTable(database),
      highest,
    ]);
  }
  await run("DELETE FROM queuectl.config");
  await run(
    "INSERT INTO queuectl.config (key, value) SELECT key, value FROM json_to_recordset($1::text::json) AS setting (key text, value text)",
    [asJson(settings.map(([key, value]) => ({ key: storable(key), value: storable(value) })))],
  );
  await run("INSERT INTO queuectl.moves (id, direction) VALUES ($1, 'in')", [move]);
  const { text: notify, parameters } = notification(database);
  await run(notify, parameters);
}
