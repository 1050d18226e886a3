/** The number of jobs in every state, kept in the transaction of every change: counting a million rows would take long. */

import { defaultQueueName, type JobState } from "../../job/job.ts";
import type { Database } from "./database.ts";
import { number, text } from "../rows.ts";

/** What one transaction does to the counters. */
export interface Tally {
  /** Jobs of a queue go from one state to another; `null` is not in the queue. */
  move(from: JobState | null, to: JobState | null, jobs?: number, queue?: string): void;
  /** Adds what has not been added yet to the counters; to be called in the transaction. */
  write(): void;
}

export function openTally(database: Database): Tally {
  const changes = new Map<string, number>();
  const ofQueues = new Map<string, Map<string, number>>();
  return {
    move(from, to, jobs = 1, queue = defaultQueueName) {
      add(changes, from, to, jobs);
      if (to === "dead" && from !== null) changes.set("died", (changes.get("died") ?? 0) + jobs);
      if (queue === defaultQueueName) return;
      if (!ofQueues.has(queue)) ofQueues.set(queue, new Map());
      add(ofQueues.get(queue)!, from, to, jobs);
    },
    write() {
      const statement = database.prepare("UPDATE counters SET value = value + ? WHERE name = ?");
      for (const [name, change] of changes) if (change !== 0) statement.run(change, name);
      for (const [queue, changes] of ofQueues) {
        for (const [name, change] of changes) if (change !== 0) addToQueue(database, queue, name, change);
      }
      changes.clear();
      ofQueues.clear();
    },
  };
}

function add(changes: Map<string, number>, from: string | null, to: string | null, jobs: number): void {
  if (from !== null) changes.set(from, (changes.get(from) ?? 0) - jobs);
  if (to !== null) changes.set(to, (changes.get(to) ?? 0) + jobs);
}

function addToQueue(database: Database, queue: string, name: string, change: number): void {
  database.prepare(`
    INSERT INTO queue_counters (queue, name, value) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET value = value + excluded.value`).run(queue, name, change);
}

/** The number of jobs in every state, and in `died` how many ever became dead. Read inside a transaction. */
export function readCounters(database: Database): Record<JobState | "died", number> {
  const rows = database.prepare("SELECT name, value FROM counters").all();
  return Object.fromEntries(rows.map((row) => [text(row, "name"), number(row, "value")])) as never;
}

/** The highest key that a job ever had; read inside a transaction. */
export const lastSeq = (database: Database): number => {
  const row = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").get();
  return row === undefined ? 0 : number(row, "seq");
};
