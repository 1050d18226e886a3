/**
 * What a store does when a whole queue moves from one to another: types, and the columns that go along. transfer.ts has the
 * order of the steps, and what holds after each of them.
 */

import { QueuectlError } from "../base/errors.ts";
import type { Queue } from "./queues.ts";
import type { Row } from "./rows.ts";
import type { RegisteredProcess } from "./registration.ts";

/** Which database a queue is in, however its URL is written. */
export interface Place {
  /** Lasts as long as the queue: a restart of the server changes nothing. */
  name: string;
  /** Tells it from every other database that is in use now, also from a copy that has the same name. */
  present: string;
}

/** A move that was begun in its source. */
export interface Move {
  id: string;
  /** The {@link Place.name} of the target. */
  place: string;
  /** Where the target is, as a person would name it, without any secret. */
  location: string;
}

/** The two ends of a move, as a store is either of them. A database that is not there throws `database`. */
export interface Moving {
  place(): Promise<Place>;
  /** The move that has this store as its source and is not ended; null where there is none. */
  begun(): Promise<Move | null>;
  /** Whether this store is the target of a move that was committed; waits for one that is about to be. */
  hasArrived(move: string): Promise<boolean>;
  /** Locks the queue, so that nobody else changes it, and reads it. Throws `conflict` where a move was begun. */
  depart(): Promise<Departure>;
  /** Locks the queue, so that nobody else changes it, and adds to it. Throws `conflict` where a move was begun. */
  arrive(): Promise<Arrival>;
  /** Forgets a move that was begun: the queue is used on. Nothing is done where that is another one. */
  stay(move: string): Promise<void>;
  /** Removes all that has moved, and forgets the move. Nothing is done where that is another one. */
  empty(move: string): Promise<void>;
}

/** A locked queue that is read. Disposing of it unlocks the queue, and leaves it as it was unless it was sealed. */
export interface Departure extends AsyncDisposable {
  processes: RegisteredProcess[];
  jobs: number;
  processing: number;
  /** What is not in rows of these tables. */
  rest: Rest;
  /** All jobs, then all attempts, then all dependencies, in the order of their keys; about a megabyte at once, or one row. */
  batches(): AsyncIterable<Batch>;
  /**
   * Commits, durably, that the move has begun, and unlocks the queue: from now on every change is refused, until
   * {@link Moving.stay} or {@link Moving.empty}.
   */
  seal(move: Move): Promise<void>;
}

/** A locked queue that gets another's rows. Disposing of it unlocks the queue, and leaves it as it was unless committed. */
export interface Arrival extends AsyncDisposable {
  processes: RegisteredProcess[];
  jobs: number;
  add(batch: Batch): Promise<void>;
  /** What follows the rows: its settings take the place of those that were here. Nothing but the commit is left then. */
  complete(move: string, rest: Rest): Promise<void>;
  /** Commits durably. Throws {@link QueuectlError} `database` also where nobody knows whether it was committed. */
  commit(): Promise<void>;
}

export interface Rest {
  /** Those with nothing set too; the target has no others afterwards. */
  queues: MovedQueue[];
  /** What rates count. */
  starts: Array<{ queue: string; at: number; jobs: number }>;
  settings: Array<[string, string]>;
  deaths: number;
  /** The highest key that a job ever had. */
  lastSeq: number;
}

/** A queue, without the numbers of its jobs. */
export type MovedQueue = Omit<Queue, "counts">;

export type MovedTable = "jobs" | "attempts" | "dependencies";

/** Rows of one table, by the names of {@link movedColumns}. */
export interface Batch {
  table: MovedTable;
  rows: Row[];
}

/** `?` where it may be null. A whole number, a number, text, or true and false. */
type Kind = "whole" | "real" | "text" | "flag" | "whole?" | "real?" | "text?";

/**
 * The columns of a row that moves, the same for all drivers. What says who runs a job does not: no job that runs is
 * moved. Nor does what a driver derives from the state.
 */
export const movedColumns: Record<MovedTable, Record<string, Kind>> = {
  jobs: {
    seq: "whole",
    id: "text",
    command: "text",
    state: "text",
    available: "flag",
    attempts: "whole",
    max_retries: "whole",
    priority: "whole",
    created_at: "whole",
    updated_at: "whole",
    next_attempt_at: "whole?",
    claim: "whole",
    run: "whole",
    timeout: "whole?",
    base_backoff: "real?",
    cwd: "text?",
    env: "text?",
    last_error: "text?",
    queue: "text",
    held: "flag",
    held_before: "flag",
    due_before: "whole?",
    blocked: "whole",
    tags: "text?",
    unique_key: "text?",
    retry_rules: "text?",
    postponed: "whole",
  },
  attempts: {
    job: "whole",
    run: "whole",
    number: "whole",
    worker: "text",
    started_at: "whole",
    ended_at: "whole",
    outcome: "text",
    exit_code: "whole?",
    signal: "text?",
    output: "text?",
    error_output: "text?",
  },
  dependencies: {
    parent: "whole",
    child: "whole",
    kind: "text",
    open: "flag",
    broken: "flag",
  },
};

/** A row with nothing but the columns that move, each checked. Throws `database` for a damaged one. */
export function movedRow(table: MovedTable, row: Row, location: string): Row {
  const moved: Row = {};
  for (const [column, kind] of Object.entries(movedColumns[table])) {
    const value = row[column];
    if (!isOfKind(value, kind)) {
      throw new QueuectlError(
        "database",
        `The database ${location} is damaged: there is no valid value in "${column}" of ${table}; nothing was moved`,
      );
    }
    moved[column] = value;
  }
  return moved;
}

function isOfKind(value: unknown, kind: Kind): boolean {
  if (value === null) return kind.endsWith("?");
  if (kind.startsWith("whole")) return Number.isSafeInteger(value);
  if (kind.startsWith("real")) return typeof value === "number";
  return kind === "flag" ? typeof value === "boolean" : typeof value === "string";
}

/** Characters, about, and rows of one batch: memory stays flat, however many there are. */
const batchLength = 2 ** 20;
const batchRows = 2000;

/** Collects what goes into one batch; a long row is one of its own. */
export function createBatcher<T>(): {
  /** The batch that is complete because this row does not fit any more. */
  add(row: T, length: number): T[] | undefined;
  /** The last one; undefined where nothing is left. */
  rest(): T[] | undefined;
} {
  let rows: T[] = [];
  let total = 0;
  const rest = () => {
    const complete = rows.length > 0 ? rows : undefined;
    rows = [];
    total = 0;
    return complete;
  };
  return {
    add(row, length) {
      const complete = total + length > batchLength || rows.length >= batchRows ? rest() : undefined;
      rows.push(row);
      total += length;
      return complete;
    },
    rest,
  };
}

/** Characters of all texts of a row. */
export function lengthOf(row: Row): number {
  return Object.values(row).reduce<number>(
    (sum, value) => sum + (typeof value === "string" ? value.length : 8),
    0,
  );
}
