/** What a manager and its worker processes agree on. */

/** What the manager passes on the command line, as JSON; the database comes in `QUEUECTL_DB`. */
export interface WorkerArguments {
  /** The manager's registration. */
  manager: number;
  /** `N` of the name `Worker-N`. */
  number: number;
  /** Commands it runs side by side. */
  concurrency: number;
  /** The queues whose jobs it takes; null for all. */
  queues: readonly string[] | null;
  /** Takes the place of one that has died, which may have left something. */
  replacement: boolean;
  /** End when nothing is left to run or retry. */
  drain: boolean;
}

/** The exit status of a worker that was stopped: one that somebody else than its manager has stopped is replaced. */
export const stoppedStatus = 10;
