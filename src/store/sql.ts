/**
 * The way from an operation to an engine. An operation is written once, as a generator: it yields statements, gets the rows
 * of each, and returns what it is about. An engine runs one in one transaction: SQLite all of it at once, PostgreSQL
 * message by message. Where two engines say a thing in two ways, {@link Sql} has the one word for it.
 */

import type { JobState } from "../job/job.ts";
import type { Row } from "./columns.ts";
import type { TellDamage } from "./damage.ts";
import type { Choice, Dialect } from "./filter_sql.ts";
import type { FoundJob } from "./errors.ts";
import type { JobFilter } from "./job_filter.ts";

/** What can be a parameter. */
export type Value = string | number | boolean | null;

/** A statement as an engine takes it, its tables called `queuectl.NAME`, with its {@link Value}s. */
export interface Statement {
  text: string;
  parameters?: readonly unknown[];
}

/** The steps of an operation, or a part of them. */
export type Steps<T> = Generator<Statement, T, readonly Row[]>;

/** A piece of SQL. `add` takes a parameter and gives its place in the text. */
export type Part = (add: (value: Value) => string) => string;

/** The same text on every engine. */
export const raw = (text: string): Part => () => text;

/** Nothing at all. */
export const nothing = raw("");

/** Types of columns that {@link Sql.rows} has. */
export type ColumnType = "bigint" | "integer" | "text";

/**
 * What an operation sees of an engine, within one transaction. As a tag of a template it runs a statement: values in it are
 * parameters, parts of SQL say what they say.
 */
export interface Sql {
  (text: TemplateStringsArray, ...values: ReadonlyArray<Value | Part>): Steps<readonly Row[]>;
  /** The time, in milliseconds since 1970. */
  readonly now: Part;
  /** At the end of a SELECT: nobody else changes its rows until the end of the transaction. */
  readonly forUpdate: string;
  /** `IN (…)`, for numbers or for texts. */
  among(values: readonly number[] | readonly string[]): Part;
  /** Rows as a table of that name. */
  rows(name: string, columns: Record<string, ColumnType>, rows: readonly object[]): Part;
  /** `state = …` in what is SET, with what goes along with it. */
  state(state: JobState): Part;
  /** A column of JSON with these changes, where a null takes a name away (RFC 7396); NULL where nothing is left. */
  merged(column: string, change: object): Part;
  /** Holds for held jobs, by the condition of their index. */
  readonly held: Part;
  /** Holds for jobs that can be claimed now. */
  readonly claimable: Part;
  /** Holds for jobs that are processing. */
  readonly running: Part;
  /** Behind the name of a table: by this index, where an engine would not find it itself. */
  by(index: string): Part;
  /** The ended runs of a job, as a condition, those after one of them, and the order of them. */
  readonly runs: { of(seq: number): Part; after(seq: number, run: number): Part; order: Part };
  /**
   * Runs a statement about the jobs of a filter that are in these states; none where there can be no such jobs. With
   * `areFound` it finds them by their keys, and no index of the filter is looked at.
   */
  select(
    filter: JobFilter,
    states: readonly JobState[],
    write: (dialect: Dialect, choice: Choice) => string,
    areFound?: boolean,
  ): Steps<readonly Row[]>;
  /** The first jobs that can be claimed, with `seq` and `run`, in the order of claims. */
  firstClaimable(limit: number): Steps<readonly Row[]>;
  /** The number of jobs in every state, and in `died` how many ever became dead. */
  counters(): Steps<Record<JobState | "died", number>>;
  /** The number of all jobs of a queue other than `default`. */
  jobsOf(queue: string): Steps<number>;
  /** Forgets how many jobs a queue without jobs has had. */
  forgetQueue(queue: string): Steps<void>;
  /** To be called where jobs go from their states, and queues, to a state or another queue, or are removed. */
  moved(jobs: readonly FoundJob[], to: { state?: JobState; queue?: string } | null): void;
  /** Removes the ended runs of jobs. */
  forgetRuns(jobs: readonly number[]): Steps<void>;
  /** Nobody else changes these jobs until the end of the transaction. Gives whether others may have, before this. */
  lock(jobs: readonly number[]): Steps<boolean>;
  /** Settles the dependencies on those of these jobs that have ended. Gives how many jobs were cancelled because of that. */
  settle(jobs: readonly number[]): Steps<number>;
  /** Nobody else claims anything, or makes a queue (`jobs`), until the end of the transaction. */
  lockQueues(against: "claims" | "queues"): Steps<void>;
  /** Once the transaction is committed, those who wait for changes are told. */
  announce(): Steps<void>;
  /** Is told of damaged rows that are left out. */
  readonly tellDamage: TellDamage;
}

/** How a transaction is run. */
export interface Effort {
  /** It may read or write all jobs. */
  slow?: boolean;
  /** Where nobody knows whether it was committed it is not run again, but told: a second time it would find its own work. */
  once?: boolean;
}

/** Runs operations, each in one transaction. */
export interface Engine {
  /** Milliseconds for which a change may keep others waiting. */
  readonly patience: number;
  /** Reads one state of the database, and changes nothing. */
  read<T>(operation: (sql: Sql) => Steps<T>, effort?: Effort): Promise<T>;
  write<T>(operation: (sql: Sql) => Steps<T>, effort?: Effort): Promise<T>;
  /** Whether an error is that two jobs which have not ended would have one unique key. */
  isKeyViolation(error: unknown): boolean;
}

/** A statement from a template; `place` gives the place of the parameter with that number, from 1. */
export function statementOf(
  text: TemplateStringsArray,
  values: ReadonlyArray<Value | Part>,
  place: (number: number) => string,
): Statement {
  const parameters: Value[] = [];
  const add = (value: Value) => place(parameters.push(value));
  const write = (value: Value | Part) => typeof value === "function" ? value(add) : add(value);
  return { text: String.raw({ raw: text }, ...values.map(write)), parameters };
}

/** The keys of jobs. */
export const keysOf = (jobs: readonly { seq: number }[]): number[] => jobs.map(({ seq }) => seq);

/** The ids of jobs. */
export const idsOf = (jobs: readonly { id: string }[]): string[] => jobs.map(({ id }) => id);
