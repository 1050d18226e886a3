/** What commands have in common: how flags and arguments are declared, and the flags that many have. */

/**
 * A flag with a value. It is taken as text and checked by the command, which has the words to explain it. The help takes
 * the placeholder out of the brief, see help_text.ts.
 */
export const value = (placeholder: string, brief: string) =>
  ({
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder,
    brief: `<${placeholder}> ${brief}`,
  }) as const;

/** A flag with a value that may be given several times. */
export const values = (placeholder: string, brief: string) =>
  ({ ...value(placeholder, brief), variadic: true }) as const;

/** A flag that is given or not. */
export const given = (brief: string) =>
  ({ kind: "boolean", optional: true, withNegated: false, brief }) as const;

/** An argument, as text. */
export const argument = (placeholder: string, brief: string) =>
  ({ parse: String, placeholder, brief }) as const;

/** Ids of jobs as arguments. */
export const ids = {
  kind: "array",
  parameter: argument("ID", "Id of a job, or a prefix no other job has"),
} as const;

/** How commands that change jobs are told which: their usage lines. */
export const choices = ["ID... [--json]", "FILTERS [--json]"] as const;

/** `--json` of commands that print data. */
export const json = given("Print JSON");

/** `--limit N` of commands that list jobs. */
export const limit = value("N", "Show the newest N jobs, with --sort the first N [default: 1000]");

/** Filters that choose among jobs of any state. */
export const filters = {
  queue: values("QUEUE", "Only jobs of these queues: a,b"),
  tag: values("TAG", "Only jobs with this tag, or with all of several: a,b"),
  search: value("TEXT", "Only jobs with this text in their command or id"),
  since: value("TIME", "Only jobs added since then: 2h, 2026-11-24, 2026-11-24T10:00Z"),
  "older-than": value(
    "TIME",
    "Only jobs that have not changed since then: 7d; reads all jobs of that age",
  ),
} as const;

/** `--state`, several times or with several states. */
export const state = values("STATE", "Only jobs in these states: a,b");

/** What `--state` takes, for the help of commands that have it. */
export const statesHelp = `STATES
  pending, processing, completed, failed, dead, cancelled
  scheduled  Pending or failed, waits for a time
  waiting    Pending or failed, can run now
  blocked    Pending or failed, waits for other jobs
  held       Pending or failed, does not run until released`;

/** How a list is told which jobs it has, in which order and how many. */
export const listUsage = "[FILTERS] [--sort FIELD[,desc]] [--limit N] [--all] [--cursor C]";

/** Which part of a list is shown, in which order. */
export const paging = {
  limit,
  all: given("Show all jobs, in constant memory"),
  sort: value(
    "FIELD",
    "In the order of created, updated, id, state, priority or attempts; or FIELD,desc",
  ),
  cursor: value(
    "C",
    "Show the page after the last one, which printed C on standard error, or in --with-cursor",
  ),
  "with-cursor": given("With --json: print an object of the jobs and next_cursor, null on the last page"),
} as const;

/** `--set` and `--unset`: other fields for a job. */
export const changes = {
  set: values(
    "KEY=VALUE",
    "command, priority, max_retries, timeout, base_backoff, cwd, tags, backoff, max_backoff, jitter, retry_on, " +
      "no_retry_on or env.NAME",
  ),
  unset: values(
    "KEY",
    "Back to the default: one of these from max_retries on; removes tags and env.NAME",
  ),
} as const;
