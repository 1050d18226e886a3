/** Signals that wait to be delivered, as workers find them. */

import type { SignalRequest } from "../store.ts";

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
