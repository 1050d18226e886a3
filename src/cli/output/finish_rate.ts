/** How many jobs are finished a minute, and how long the rest takes: from looks at the counters, one after another. Pure. */

import type { JobState } from "../../job/job.ts";

type Counts = Record<JobState, number>;

/** Milliseconds that are looked back. */
const window = 60_000;

/** What the looks so far have shown. */
export interface Pace {
  /** Jobs that were finished in the last minute, or since the first look. */
  finished: number;
  /** Milliseconds since then. */
  over: number;
  /** Milliseconds until nothing is left, at this pace; null while nothing was finished. */
  left: number | null;
}

/** Takes one look after another, each with the jobs that are open and its time in milliseconds, and tells the pace. */
export function createPace(): (counts: Counts, open: number, now: number) => Pace {
  const looks: Array<{ at: number; finished: number; counts: Counts }> = [];
  return (counts, open, now) => {
    const before = looks.at(-1)?.counts ?? counts;
    // Jobs that are removed or retried meanwhile make a count go down, which undoes nothing that was finished.
    const states = ["completed", "dead", "cancelled"] as const;
    const finished = states.reduce((sum, state) => sum + Math.max(0, counts[state] - before[state]), 0);
    looks.push({ at: now, finished, counts });
    while (looks.length > 2 && looks[1].at <= now - window) looks.shift();
    const over = now - looks[0].at;
    const sum = looks.slice(1).reduce((sum, look) => sum + look.finished, 0);
    return { finished: sum, over, left: open === 0 ? 0 : sum === 0 ? null : open * over / sum };
  };
}
