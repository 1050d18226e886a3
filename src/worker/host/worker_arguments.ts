/** What a manager and its worker processes agree on. */

/** What the manager passes on the command line, as JSON. */
export interface WorkerArguments {
  /** `N` of the name `Worker-N`. */
  number: number;
  /** Commands it runs side by side. */
  concurrency: number;
  /** The queues whose jobs it takes; null for all. */
  queues: readonly string[] | null;
  /** Takes the place of one that has died, which may have left something. */
  replacement: boolean;
  /** End when no job is left to run or retry. */
  drain: boolean;
}

/**
 * What it tells on the worker's standard input when it is registered, as JSON in the first line. Without it, because the manager
 * is gone or cannot use the database, the worker ends. So a worker starts while its manager still does.
 */
export interface WorkerAssignment {
  /** The manager's registration. */
  manager: number;
  /** Not an argument, which everybody could read: it may hold a password. */
  database: string;
  /** Its commands get the database with its password, where it has one. */
  passDatabase: boolean;
  /** The manager was started to ignore HUP: so do its workers. */
  ignoreHangUp: boolean;
  /** Where commands run that have no folder of their own; null for where the worker is. */
  folder: string | null;
}

/**
 * The line that follows on the worker's standard input when it is to stop, and once more when it is not to wait for what it
 * runs. Not a signal: Windows has none.
 */
export const stopLine = "stop";

/** The exit status of a worker that was stopped: one that somebody else than its manager has stopped is replaced. */
export const stoppedStatus = 10;
