/** The number of jobs in every state, kept in the transaction of every change: counting a million rows would take long. */

import type { JobState } from "../../job/job.ts";
import type { Database } from "./database.ts";
import { number, text } from "../rows.ts";

/** What one transaction does to the counters. */
export interface Tally {
  /** Jobs go from one state to another; `null` is not in the queue. */
  move(from: JobState | null, to: JobState | null, jobs?: number): void;
  /** Adds it all to the counters; to be called in the transaction. */
  write(): void;
}

export function openTally(database: Database): Tally {
  const changes = new Map<string, number>();
  const add = (name: string, change: number) => changes.set(name, (changes.get(name) ?? 0) + change);
  return {
    move(from, to, jobs = 1) {
      if (from !== null) add(from, -jobs);
      if (to !== null) add(to, jobs);
      if (to === "dead" && from !== null) add("died", jobs);
    },
    write() {
      const statement = database.prepare("UPDATE counters SET value = value + ? WHERE name = ?");
      for (const [name, change] of changes) if (change !== 0) statement.run(change, name);
    },
  };
}

/** The number of jobs in every state, and in `died` how many ever became dead. Read inside a transaction. */
export function readCounters(database: Database): Record<JobState | "died", number> {
  const rows = database.prepare("SELECT name, value FROM counters").all();
  return Object.fromEntries(rows.map((row) => [text(row, "name"), number(row, "value")])) as never;
}
