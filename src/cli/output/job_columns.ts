/** The columns of a table of jobs, for `list --columns`. Pure. */

import { QueuectlError } from "../../base/errors.ts";
import type { Job } from "../../job/job.ts";
import { didYouMean } from "../../base/nearest.ts";
import { printable } from "../../base/printable.ts";
import { cutEnd, cutStart, iso, type JobObject, longestText } from "./output.ts";
import { flexible, type TableColumn } from "./table_layout.ts";

interface Column extends TableColumn {
  /** Characters in a pipe; a text that is longer is cut unless it may spread. The last column has no width. */
  width: number;
  spreads?: true;
  /** The field of `--json`. */
  field: keyof JobObject;
  text(job: Job): string;
}

/** Characters of a cell that are looked at on a terminal: more than any has room for. */
const longestCell = 4096;

const time = (milliseconds: number | null) => iso(milliseconds)?.replace(/\.\d+/, "") ?? "-";
const seconds = (milliseconds: number | null) => milliseconds === null ? "-" : `${milliseconds / 1000}s`;
const count = (value: number) => String(value);

/** All columns by their names. */
const columns: Record<string, Column> = {
  // The first 24 characters of a UUID are those in which it differs from others.
  id: { title: "ID", width: 36, spreads: true, ...flexible(24, 24), field: "id", text: (job) => job.id },
  state: { title: "STATE", width: 10, field: "state", text: (job) => job.state },
  attempts: numeric("ATTEMPTS", "attempts", (job) => count(job.attempts)),
  max_retries: numeric("MAX RETRIES", "max_retries", (job) => count(job.maxRetries)),
  priority: numeric("PRIORITY", "priority", (job) => count(job.priority)),
  created: { title: "CREATED", width: 20, field: "created_at", text: (job) => time(job.createdAt) },
  updated: { title: "UPDATED", width: 20, field: "updated_at", text: (job) => time(job.updatedAt) },
  due: { title: "DUE", width: 20, field: "next_attempt_at", text: (job) => time(job.nextAttemptAt) },
  timeout: numeric("TIMEOUT", "timeout", (job) => seconds(job.timeout)),
  base_backoff: numeric(
    "BASE BACKOFF",
    "base_backoff",
    (job) => job.baseBackoff === null ? "-" : count(job.baseBackoff),
  ),
  cwd: { title: "FOLDER", width: 30, ...flexible(10), field: "cwd", text: (job) => job.cwd ?? "-" },
  env: {
    title: "ENVIRONMENT",
    width: 30,
    ...flexible(10),
    field: "env",
    text: (job) => Object.entries(job.env ?? {}).map(([name, value]) => `${name}=${value}`).join(" "),
  },
  queue: {
    title: "QUEUE",
    width: 12,
    spreads: true,
    ...flexible(8),
    field: "queue",
    text: (job) => job.queue,
  },
  tags: {
    title: "TAGS",
    width: 20,
    ...flexible(10),
    field: "tags",
    text: (job) => job.tags.join(",") || "-",
  },
  held: { title: "HELD", width: 4, field: "held", text: (job) => job.held ? "held" : "-" },
  unique: {
    title: "UNIQUE KEY",
    width: 20,
    ...flexible(10),
    field: "unique",
    text: (job) => job.uniqueKey ?? "-",
  },
  error: {
    title: "LAST ERROR",
    width: 40,
    ...flexible(16, 8),
    shows: "end",
    field: "last_error",
    text: (job) => job.lastError ?? "",
  },
  command: { title: "COMMAND", width: 40, ...flexible(16, 8), field: "command", text: (job) => job.command },
};

function numeric(title: string, field: Column["field"], text: Column["text"]): Column {
  return { title, width: title.length, alignment: "right", spreads: true, field, text };
}

/** The names of all columns. */
export const columnNames = Object.keys(columns);

/** The columns of `list`, where all jobs are in one queue, and where there are others. */
export const standardColumns = ["id", "state", "attempts", "command"];
export const columnsWithQueue = ["id", "queue", "state", "attempts", "command"];

/** Reads `a,b,c`; a name may also be that of the field in JSON. Throws `usage`. */
export function readColumns(text: string): string[] {
  return text.split(",").map((word) => word.trim()).map((word) => {
    const name = columnNames.find((name) => name === word || columns[name].field === word);
    if (name !== undefined) return name;
    throw new QueuectlError(
      "usage",
      `Unknown column "${word}"${didYouMean(word, columnNames)}. Columns are: ${columnNames.join(", ")}`,
    );
  });
}

/** The fields of a job that `--json` shows for these columns. */
export function columnFields(object: JobObject, names: readonly string[]): Partial<JobObject> {
  return Object.fromEntries(
    names.map((name) => columns[name].field).map((field) => [field, object[field]]),
  );
}

/** The columns as a table on a terminal has them. The last one takes what the others leave. */
export const terminalColumns = (names: readonly string[]): TableColumn[] =>
  names.map((name, index) =>
    index === names.length - 1 ? columns[name] : { ...columns[name], usual: columns[name].width }
  );

/** The cells of jobs in these columns, for a table on a terminal. */
export async function* cellsOf(
  jobs: Iterable<Job> | AsyncIterable<Job>,
  names: readonly string[],
): AsyncGenerator<string[]> {
  const shown = names.map((name) => columns[name]);
  for await (const job of jobs) {
    yield shown.map(({ text, shows }) =>
      printable((shows === "end" ? cutStart : cutEnd)(text(job), longestCell))
    );
  }
}

/** The table of `list` in a pipe or file. */
export async function* jobTable(
  jobs: Iterable<Job> | AsyncIterable<Job>,
  names: readonly string[] = standardColumns,
): AsyncGenerator<string> {
  const shown = names.map((name) => columns[name]);
  yield rowOf(shown, (column) => column.title) + "\n";
  yield "-".repeat(80) + "\n";
  for await (const job of jobs) yield rowOf(shown, (column) => printable(column.text(job))) + "\n";
}

function rowOf(shown: readonly Column[], text: (column: Column) => string): string {
  const cells = shown.map((column, index) => {
    const { width, alignment, spreads } = column;
    // Of an error the end is shown, where the reason is.
    const cut = column.shows === "end" ? cutStart : cutEnd;
    if (alignment === "right") return text(column).padStart(width);
    if (index === shown.length - 1) return cut(text(column), longestText);
    return (spreads ? text(column) : cut(text(column), width)).padEnd(width);
  });
  // A command may end with spaces that are its own.
  return cells.at(-1) === "" ? cells.join(" | ").trimEnd() : cells.join(" | ");
}
