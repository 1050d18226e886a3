/** Managers and workers: who is there, who is gone, who was asked to stop. */

import type { Claim } from "../../job/job.ts";
import { claimColumns, number } from "../rows.ts";
import type { Registration } from "../store.ts";
import { clockSql, timeSql } from "./clock.ts";
import type { Database, Effort, Row } from "./connection/database.ts";
import { claimsFrom, elsewhereSql, handedOut, nextNumber, ratedSql } from "./claim_and_record.ts";
import type { Listener } from "./connection/notifications.ts";
import type { Requests } from "./unanswered_requests.ts";
import { asArray, asJson, storable } from "./values.ts";

/** (new) → registered, with a lease. Returns the id, which no other process ever gets. */
export async function register(database: Database, registration: Registration): Promise<number> {
  const { id, role, manager, number: place, concurrency, queues, identity, lease } = registration;
  const who = [
    storable(identity.host),
    storable(identity.boot),
    identity.pid,
    storable(identity.start),
    role,
  ];
  return await database.transaction(async (run, again) => {
    // An earlier try may have been committed, and nobody would renew its lease.
    if (again) {
      await run(
        "DELETE FROM queuectl.processes WHERE host = $1 AND boot = $2 AND pid = $3 AND start = $4 AND role = $5",
        who,
      );
    }
    const [row] = await run(
      `INSERT INTO queuectl.processes (host, boot, pid, start, role, manager, number, concurrency, started_at,
         heartbeat_at, lease_until, queues${id === undefined ? "" : ", id"})
       SELECT $1, $2, $3::bigint, $4, $5, $6::bigint, $7::integer, $8::integer, now, now, now + $9::bigint, $11
         ${id === undefined ? "" : ", $12::bigint"}
       FROM (SELECT ${timeSql("$10")} AS now) AS clock RETURNING id`,
      [
        ...who,
        manager,
        place,
        concurrency,
        lease,
        database.now(),
        queues ? asJson(queues) : null,
        ...id === undefined ? [] : [id],
      ],
    );
    return number(row, "id");
  });
}

/** The part of a lease, and the least milliseconds, that a connection gets for renewing it. */
const [renewalPart, shortestRenewal] = [1 / 6, 1000];

/**
 * Renews the lease; false when the process is not registered any more. On the connection that listens, because the other
 * one may be waiting for something else; where that does not answer on both, whichever is the first.
 */
export async function heartbeat(
  database: Database,
  listener: Listener,
  process: number,
  lease: number,
  pace: number | null,
): Promise<boolean> {
  const renewal = {
    text: `WITH ${clockSql("$1")}
      UPDATE queuectl.processes SET heartbeat_at = now, lease_until = now + $2::bigint, pace = $4
      FROM clock WHERE id = $3 RETURNING id`,
    parameters: [database.now(), lease, process, pace],
  };
  const patience = Math.max(shortestRenewal, lease * renewalPart);
  const isRenewed = ([rows]: Row[][]) => rows.length === 1;
  try {
    return isRenewed(await listener.ask([renewal], patience));
  } catch {
    // Whatever it was: what fails there too is told.
    const otherwise = database.batch([renewal]).then(isRenewed);
    const once = listener.ask([renewal], patience).then(isRenewed).catch(() => otherwise);
    return await Promise.race([otherwise.catch(() => once), once]);
  }
}

/** registered → (gone) for `gone` and `silent` processes; processing → processing by `worker`, claim raised. */
export async function takeOver(
  database: Database,
  requests: Requests,
  worker: number,
  gone: readonly number[],
  silent: readonly number[],
): Promise<Claim[]> {
  const attempt = (name: string, isAgain: boolean, effort: Effort) =>
    database.transaction(async (run) => {
      // One at a time: a second one would not know yet that the first one's worker is there.
      await run("SELECT version FROM queuectl.queue FOR UPDATE");
      const before = isAgain ? await handedOut(database, run, worker, name) : [];
      await run(
        `DELETE FROM queuectl.processes
         WHERE id = ANY($1::bigint[]) OR id = ANY($2::bigint[]) AND lease_until < ${timeSql("$3")}`,
        [asArray(gone), asArray(silent), database.now()],
      );
      // By its claim too: one that was claimed anew while this waited for it belongs to somebody who is there.
      const rows = await run(
        `WITH ${clockSql("$1")},
         orphan AS MATERIALIZED (
           SELECT seq, claim FROM queuectl.jobs AS job WHERE state = 'processing'
             AND NOT EXISTS (SELECT 1 FROM queuectl.processes WHERE id = job.worker)
             -- Whoever was declared gone meanwhile takes nothing.
             AND EXISTS (SELECT 1 FROM queuectl.processes WHERE id = $2)
           ORDER BY seq
         )
         UPDATE queuectl.jobs AS job SET claim = ${
          nextNumber("claim")
        }, worker = $2, request = $3 FROM orphan, clock
         WHERE job.seq = orphan.seq AND job.claim = orphan.claim AND job.state = 'processing'
         RETURNING ${claimColumns.split(", ").map((column) => `job.${column}`).join(", ")}, clock.now, ${
          elsewhereSql("$2")
        }, ${ratedSql}`,
        [database.now(), worker, name],
      );
      return [...before, ...claimsFrom(rows)];
    }, effort);
  return await requests.answer(
    `take-over by ${worker}`,
    (name) => attempt(name, false, { unknown: "tell" }),
    (name) => attempt(name, true, { unknown: "again" }),
  );
}
