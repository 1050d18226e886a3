/**
 * The lease by which a worker of a shared store has its jobs, seen from the worker: other hosts take them over when the
 * store finds it over, so before that its commands have to be gone. Pure but for the clocks, which are arguments.
 *
 * Of the lease, counted from the moment at which its last renewal was sent, two thirds are for work; then the commands are
 * asked to end, a sixth later they are killed, and the last sixth is for the looks at processes that this takes.
 */

/** A moment by two clocks, in milliseconds. */
export interface Moment {
  /** Stands still while the host is asleep. */
  monotonic: number;
  /** Goes on then, but may be set. */
  wall: number;
}

export interface Lease {
  /** The present moment, for {@link renewed}. */
  now(): Moment;
  /** It was renewed for `length` milliseconds, or a registration was made, by a request that was sent then. */
  renewed(sent: Moment, length: number): void;
  /** Milliseconds until the commands have to be ended; 0 from then on, Infinity where no other host can take over. */
  timeForWork(): number;
  /** Milliseconds that commands get from TERM to KILL when they are ended because of it; at most `longest`. */
  killDelay(longest: number): number;
}

const [workPart, killPart] = [2 / 3, 1 / 6];

const ownClocks = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });

/** A lease that is not held yet; where the store is not shared it never ends. */
export function createLease(shared: boolean, now: () => Moment = ownClocks): Lease {
  let sent: Moment = { monotonic: -Infinity, wall: -Infinity };
  let length = 0;

  function elapsed(): number {
    const { monotonic, wall } = now();
    // After a sleep only the wall clock knows; one that was set forward ends commands that could have gone on.
    return Math.max(monotonic - sent.monotonic, wall - sent.wall);
  }

  return {
    now,
    renewed(moment, milliseconds) {
      // Answers may come in another order than the requests went.
      if (moment.monotonic < sent.monotonic) return;
      sent = moment;
      length = milliseconds;
    },
    timeForWork: () => shared ? Math.max(0, length * workPart - elapsed()) : Infinity,
    killDelay(longest) {
      const left = length - elapsed();
      // Where it is over already, somebody else may have started the same command.
      return left <= 0 ? 0 : Math.min(longest, length * killPart, left / 2);
    },
  };
}
