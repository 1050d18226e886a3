/** How many jobs a worker finishes a minute: an average in which what was a minute ago counts for a third. Pure. */

/** Milliseconds in which what was counted loses all but 1/e of its weight, as in the load average of Unix. */
const memory = 60_000;

export interface PaceMeter {
  /** Counts jobs that have ended for good. */
  finished(jobs: number): void;
  /** Jobs a minute up to `now`, in milliseconds; of a young meter since its start. */
  perMinute(now: number): number;
}

/** A meter that starts at `start`, by the clock that is asked later. */
export function createPaceMeter(start: number): PaceMeter {
  let [last, jobs] = [start, 0];
  // How much of an average the past has given so far: less than 1 while there has been little of it.
  let [average, weight] = [0, 0];
  return {
    finished(more) {
      jobs += more;
    },
    perMinute(now) {
      const time = now - last;
      if (time > 0) {
        const fading = Math.exp(-time / memory);
        average = average * fading + jobs / time * (1 - fading);
        weight = weight * fading + 1 - fading;
        [last, jobs] = [now, 0];
      }
      return weight === 0 ? 0 : average / weight * 60_000;
    },
  };
}
