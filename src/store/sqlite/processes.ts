/** Managers and workers: who is there, who is gone, who was asked to stop. */

import type { Claim } from "../../job/job.ts";
import type { Registration, StopRequest } from "../store.ts";
import type { Database } from "./database.ts";
import { numberOrNull, textsOrNull } from "../columns.ts";
import { claimColumns, claimFromRow, number } from "../rows.ts";
import { nextNumber, setAside } from "./damaged_jobs.ts";

/** (new) → registered, with a lease. Returns the id, which no other process ever gets. */
export async function register(database: Database, registration: Registration): Promise<number> {
  const { id, role, manager, number, concurrency, queues, identity, lease } = registration;
  return await database.write(() => {
    const now = database.now();
    const row = database.prepare(`
      INSERT INTO processes (id, role, manager, number, concurrency, host, boot, pid, start, started_at, heartbeat_at,
        lease_until, queues)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12) RETURNING id`).get(
      id ?? null,
      role,
      manager,
      number,
      concurrency,
      identity.host,
      identity.boot,
      identity.pid,
      identity.start,
      now,
      now + lease,
      queues ? JSON.stringify(queues) : null,
    );
    return Number(row!.id);
  });
}

/** Renews the lease; false when the process is not registered any more. */
export async function heartbeat(
  database: Database,
  process: number,
  lease: number,
  pace: number | null,
): Promise<boolean> {
  return await database.write(() => {
    const now = database.now();
    return database.prepare("UPDATE processes SET heartbeat_at = ?, lease_until = ?, pace = ? WHERE id = ?")
      .run(now, now + lease, pace, process).changes === 1;
  });
}

function forget(database: Database, processes: readonly number[]): void {
  database.prepare("DELETE FROM processes WHERE id IN (SELECT value FROM json_each(?))").run(
    JSON.stringify(processes),
  );
}

/**
 * Whether the process is known, the queues whose jobs it takes (null: all), and what it, or its manager, was asked: a
 * worker may have been started after that. Read in a transaction.
 */
export function standing(
  database: Database,
  process: number,
): { registered: boolean; queues: string[] | null; stop: StopRequest | null } {
  const row = database.prepare(`
    SELECT own.stop_grace AS own, manager.stop_grace AS manager, own.queues
    FROM processes AS own LEFT JOIN processes AS manager ON manager.id = own.manager WHERE own.id = ?`).get(
    process,
  );
  const graces = row === undefined
    ? []
    : ["own", "manager"].map((whose) => numberOrNull(row, whose)).filter((grace) => grace !== null);
  return {
    registered: row !== undefined,
    queues: row === undefined ? null : textsOrNull(row, "queues"),
    stop: graces.length === 0 ? null : { grace: Math.min(...graces) },
  };
}

/** The jobs of a worker that it is to end; read inside a transaction. */
export function cancelRequests(database: Database, worker: number): number[] {
  return database.prepare(
    "SELECT seq FROM jobs WHERE worker = ? AND cancel_requested = 1",
  ).all(worker).map((row) => number(row, "seq"));
}

/** registered → (gone) for `gone` and `silent` processes; processing → processing by `worker`, claim raised. */
export async function takeOver(
  database: Database,
  worker: number,
  gone: readonly number[],
  silent: readonly number[],
): Promise<Claim[]> {
  return await database.write(() => {
    const now = database.now();
    const expired = database.prepare(`
      SELECT id FROM processes WHERE lease_until < ? AND id IN (SELECT value FROM json_each(?))`)
      .all(now, JSON.stringify(silent)).map((row) => number(row, "id"));
    forget(database, [...gone, ...expired]);
    const rows = database.prepare(`
      SELECT ${claimColumns},
        EXISTS (SELECT 1 FROM starts WHERE starts.queue = jobs.queue AND at = -seq) AS rated
      FROM jobs WHERE worker IS NOT NULL AND worker NOT IN (SELECT id FROM processes)
        -- Whoever was declared gone meanwhile takes nothing.
        AND EXISTS (SELECT 1 FROM processes WHERE id = ?1)`).all(worker);
    const sound = setAside(database, rows, now);
    database.prepare(`
      UPDATE jobs SET claim = ${
      nextNumber("claim")
    }, worker = ?1 WHERE seq IN (SELECT value FROM json_each(?2))`)
      .run(worker, JSON.stringify(sound.map(({ seq }) => seq)));
    return sound.map((row) => claimFromRow({ ...row, claim: number(row, "claim") + 1 }, now));
  });
}
