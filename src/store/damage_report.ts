/** What `doctor` says of rows that cannot be read: each is read as all else reads it. */

import { QueuectlError } from "../base/errors.ts";
import { number, numberOrNull, type Row, text } from "./columns.ts";
import { endedRunFromRow, jobFromRow } from "./rows.ts";

/** So many rows are named. */
const mostNamed = 10;

/** Collects damaged rows. */
export function damageReport(): {
  /** Reads each row; what cannot be read is noted. */
  look(rows: Iterable<Row>, read: (row: Row) => unknown): void;
  /** A line for each of the first, and one that counts the others. */
  lines(): string[];
} {
  const named: string[] = [];
  let count = 0;
  return {
    look(rows, read) {
      for (const row of rows) {
        try {
          read(row);
        } catch (error) {
          if (!(error instanceof QueuectlError)) throw error;
          if (count++ < mostNamed) {
            named.push(error.message.replace(/^The database is damaged: |; "queuectl .*$/g, ""));
          }
        }
      }
    },
    lines: () => count > mostNamed ? [...named, `${count - mostNamed} more rows cannot be read`] : named,
  };
}

/** Reads all that is read of a job; `run` and `claim` go with {@link jobColumns}. */
export function readWholeJob(row: Row): void {
  jobFromRow(row);
  number(row, "run");
  number(row, "claim");
  number(row, "blocked");
}

/** A row of `attempts`, with its `job`. */
export const readRun = (row: Row) => endedRunFromRow({ ...row, seq: row.job });

export function readQueue(row: Row): void {
  text(row, "name");
  for (const column of ["concurrency", "rate", "rate_period", "max_retries", "timeout"]) {
    numberOrNull(row, column);
  }
}

export function readSetting(row: Row): void {
  text(row, "key");
  text(row, "value");
}
