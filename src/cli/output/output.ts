/**
 * What commands print, as text: tables, JSON and single lines. Pure functions of their arguments. Nothing that a job
 * carries (id, command, error) can break a row, move the cursor or change what a terminal shows.
 */

import type { Job } from "../../job/job.ts";
import { escapeUnsafe, printable } from "../../base/printable.ts";
import type { TableColumn } from "./table_layout.ts";

/** The text, or its beginning and `…` where it is longer than `length`. */
export function cutEnd(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "") + "…";
}

/** The text, or `…` and its end where it is longer than `length`. */
export function cutStart(text: string, length: number): string {
  return text.length <= length ? text : "…" + text.slice(1 - length).replace(/^[\uDC00-\uDFFF]/, "");
}

/** `1 job`, `2 jobs`, `0 jobs`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A value as JSON on one line; what {@link printable} would replace is escaped, so that it stays valid and equal. */
export function json(value: unknown): string {
  return escapeUnsafe(JSON.stringify(value));
}

/** A JSON array of any length, an element a line. */
export async function* jsonArray(
  elements: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<string> {
  let separator = "[\n";
  for await (const element of elements) {
    yield `${separator}${json(element)}`;
    separator = ",\n";
  }
  yield separator === "[\n" ? "[]\n" : "\n]\n";
}

/** A page of a list as one object: where the next one begins, null on the last one, and jobs, each on a line. */
export async function* jsonPage(
  next: string | null,
  jobs: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<string> {
  yield `{"next_cursor":${json(next)},"jobs":`;
  for await (const piece of jsonArray(jobs)) yield piece.replace(/\]\n$/, "]}\n");
}

const rule = "-".repeat(80) + "\n";

/** Characters of a text in a table of jobs; `--json` has all of it. */
export const longestText = 500;

/** The table of `dlq list` in a pipe or file. Of a long error the end is shown, where the reason is. */
export async function* deadJobTable(
  jobs: Iterable<Job> | AsyncIterable<Job>,
): AsyncGenerator<string> {
  yield `${"ID".padEnd(36)} | ${"COMMAND".padEnd(40)} | LAST ERROR\n`;
  yield rule;
  for await (const { id, command, lastError } of jobs) {
    const error = cutStart(printable(lastError ?? ""), longestText);
    const text = cutEnd(printable(command), longestText);
    yield `${printable(id).padEnd(36)} | ${text.padEnd(40)} | ${error}`.trimEnd() + "\n";
  }
}

/** A table that is held as a whole; `-` stands where there is nothing. */
export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: ReadonlyArray<readonly string[]>;
}

/** A table in a pipe or file: its columns are as wide as their widest cell. */
export function tableText({ columns, rows }: Table): string {
  const header = columns.map(({ title }) => title);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ").trimEnd() + "\n";
  return [line(header), rule, ...rows.map(line)].join("");
}

/** A time as ISO 8601, in UTC; null stays null. */
export const iso = (milliseconds: number | null) =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();

/** A job as `--json` shows it. */
export type JobObject = ReturnType<typeof jobObject>;

/** A job as `--json` shows it: the names of the original's columns, then ours; times ISO 8601, durations seconds. */
export function jobObject(job: Job, last: { output: string; errorOutput: string } | null) {
  return {
    id: job.id,
    command: job.command,
    state: job.state,
    attempts: job.attempts,
    max_retries: job.maxRetries,
    created_at: iso(job.createdAt),
    updated_at: iso(job.updatedAt),
    next_attempt_at: iso(job.nextAttemptAt),
    last_error: job.lastError,
    output: last?.output ?? null,
    error_output: last?.errorOutput ?? null,
    priority: job.priority,
    timeout: job.timeout === null ? null : job.timeout / 1000,
    base_backoff: job.baseBackoff,
    cwd: job.cwd,
    env: job.env,
    queue: job.queue,
    tags: job.tags,
    unique: job.uniqueKey,
    ...rulesObject(job.retryRules),
    held: job.held,
    blocked: job.blocked,
  };
}

function rulesObject(rules: Job["retryRules"]) {
  return {
    backoff: rules?.backoff ?? null,
    max_backoff: rules?.maxBackoff === undefined ? null : rules.maxBackoff / 1000,
    jitter: rules?.jitter ?? null,
    retry_on: rules?.retryOn ?? null,
    no_retry_on: rules?.noRetryOn ?? null,
  };
}

/** How long ago something was, in its largest unit: `3s ago`, `2m ago`. */
export const ago = (milliseconds: number): string => `${rough(milliseconds)} ago`;

/** A time in its largest unit: `3s`, `2m`. */
export function rough(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
