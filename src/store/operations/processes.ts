/** Managers and workers: who is there, who is gone, who was asked to stop. */

import { readable } from "../damage.ts";
import type { RegisteredProcess, StopRequest } from "../registration.ts";
import { number, processColumns, processFromRow } from "../rows.ts";
import { type Part, raw, type Sql, type Steps } from "../sql.ts";

/** registered → (gone); what it still ran is found by the next take-over. */
export function* leave(sql: Sql, process: number): Steps<void> {
  yield* sql`DELETE FROM queuectl.processes WHERE id = ${process}`;
}

/** Every registered process, managers before the workers they started. */
export function* listProcesses(sql: Sql): Steps<RegisteredProcess[]> {
  // By an expression: SQLite would rather read all jobs in their order than sort a few.
  const jobs = yield* sql`SELECT worker, id FROM queuectl.jobs WHERE ${sql.running} ORDER BY +seq`;
  const running = Map.groupBy(jobs, (row) => number(row, "worker"));
  const rows = yield* sql`
    SELECT ${raw(processColumns)}, ${sql.now} AS now FROM queuectl.processes
    ORDER BY coalesce(manager, id), id`;
  return readable(rows, (row) => processFromRow(row, number(row, "now"), running), sql.tellDamage);
}

/** Whether this run of the job goes on, on whichever host, or where a boot is given not on another one. */
export function* isRunning(sql: Sql, seq: number, run: number, boot?: string): Steps<boolean> {
  const rows = yield* sql`
    SELECT 1 FROM queuectl.jobs AS job WHERE seq = ${seq} AND run = ${run} AND state = 'processing'
      AND NOT EXISTS (SELECT 1 FROM queuectl.processes WHERE id = job.worker AND boot <> ${boot ?? null})`;
  return rows.length === 1;
}

/** Asks every process of these hosts (all by default) that is not gone to stop; the ids of the managers among them. */
export function* requestStop(
  sql: Sql,
  request: StopRequest,
  gone: readonly number[],
  hosts?: readonly string[],
): Steps<number[]> {
  const ofHosts: Part = hosts === undefined
    ? raw("TRUE")
    : hosts.length === 0
    ? raw("FALSE")
    : (add) => `host ${sql.among(hosts)(add)}`;
  const rows = yield* sql`
    SELECT id FROM queuectl.processes WHERE role = 'manager' AND ${ofHosts} ORDER BY id`;
  const managers = rows.map((row) => number(row, "id"));
  const left = managers.filter((id) => !gone.includes(id));
  // Their workers are left to a take-over, which also finds what they ran.
  yield* sql`DELETE FROM queuectl.processes WHERE role = 'manager' AND id ${sql.among(gone)}`;
  yield* sql`UPDATE queuectl.processes SET stop_grace = ${request.grace} WHERE ${ofHosts}`;
  yield* sql.announce();
  return left;
}
