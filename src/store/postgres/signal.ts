/** Signals to the commands of jobs that run: left by whoever sends them, found and delivered by their workers. */

import { scopes } from "../refusals.ts";
import type { Selection } from "../selection.ts";
import type { SignalRequest } from "../store.ts";
import type { Database } from "./connection/database.ts";
import { notification } from "./connection/notifications.ts";
import { choose } from "./selection.ts";
import { asArray } from "./storable.ts";

/** Leaves a signal for the present run of each of the jobs, and notes whether that stops its command or lets it go on. */
export async function signal(database: Database, selection: Selection, name: string): Promise<string[]> {
  return await database.transaction(async (run) => {
    const jobs = await choose(database, run, selection, scopes.signal);
    if (jobs.length === 0) return [];
    const keys = asArray(jobs.map(({ seq }) => seq));
    await run(
      `INSERT INTO queuectl.signals (job, run, name)
       SELECT seq, run, $2 FROM queuectl.jobs WHERE seq = ANY($1::bigint[]) ORDER BY seq`,
      [keys, name],
    );
    if (name === "SIGSTOP" || name === "SIGCONT") {
      const stopped = name === "SIGSTOP" ? "run" : "NULL";
      await run(`UPDATE queuectl.jobs SET stopped_run = ${stopped} WHERE seq = ANY($1::bigint[])`, [keys]);
    }
    const { text, parameters } = notification(database);
    await run(text, parameters);
    return jobs.map(({ id }) => id);
    // A second time it would send them again.
  }, { pace: "slow", unknown: "tell" });
}

/**
 * An SQL expression for the signals that a worker is told of, as text: those for what it runs, and those of any run that
 * has ended while they were sent, which are only to be removed.
 */
export const signalsSql = (worker: `$${number}`): string =>
  `(SELECT string_agg(pg_catalog.concat_ws(' ', signal.id, signal.job, signal.run, signal.name), ',' ORDER BY signal.id)
    FROM queuectl.signals AS signal
    LEFT JOIN queuectl.jobs AS job ON job.seq = signal.job AND job.run = signal.run AND job.state = 'processing'
    WHERE job.seq IS NULL OR job.worker = ${worker})`;

/** The signals of such a text. */
export function signalsFrom(text: unknown): SignalRequest[] {
  if (typeof text !== "string") return [];
  return text.split(",").map((signal) => {
    const [id, seq, run, name] = signal.split(" ");
    return { id: Number(id), seq: Number(seq), run: Number(run), name };
  });
}

/** Removes signals that were delivered. */
export async function removeSignals(database: Database, ids: readonly number[]): Promise<void> {
  await database.batch([{
    text: "DELETE FROM queuectl.signals WHERE id = ANY($1::bigint[])",
    parameters: [asArray(ids)],
  }]);
}
