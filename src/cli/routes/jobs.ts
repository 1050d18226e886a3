/** What one does with the jobs of the queue: list, read, count, cancel. */

import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { argument, given, json, limit, value } from "./flags.ts";

/** `list`: jobs as a table or JSON. */
export const list = buildCommand<{ state?: string; limit?: string; json?: boolean }, [], Context>({
  loader: async () => (await import("../commands/list.ts")).list,
  parameters: {
    flags: {
      state: value("STATE", "Only jobs that are pending, processing, completed, failed, dead or cancelled"),
      limit,
      json,
    },
  },
  docs: {
    brief: "List jobs, the newest last",
    fullDescription: `List jobs, the newest last. With --json also their output, errors and times.

EXAMPLES
  queuectl list --state failed
  queuectl list --json --limit 10`,
  },
});

/** `logs`: what a job has printed. */
export const logs = buildCommand<{ stdout?: boolean; stderr?: boolean }, [string], Context>({
  loader: async () => (await import("../commands/logs.ts")).logs,
  parameters: {
    flags: {
      stdout: given("Only what it has printed on standard output"),
      stderr: given("Only what it has printed on standard error, to standard output"),
    },
    positional: {
      kind: "tuple",
      parameters: [argument("ID", "Id of a job, or a prefix no other job has")],
    },
  },
  docs: {
    brief: "Print what a job has printed",
    fullDescription:
      `Print what a job has printed: so far where it runs, else in its last run. Its standard error goes to standard
error, unless one of the two is asked for.

EXAMPLES
  queuectl logs nightly
  queuectl logs --stderr nightly | tail`,
  },
});

/** `status`: the number of jobs in every state. */
export const status = buildCommand<{ json?: boolean }, [], Context>({
  loader: async () => (await import("../commands/status.ts")).status,
  parameters: { flags: { json } },
  docs: { brief: "Count the jobs in every state" },
});

/** `cancel`: jobs that wait or run → cancelled. */
export const cancel = buildCommand<NonNullable<unknown>, string[], Context>({
  loader: async () => (await import("../commands/cancel.ts")).cancel,
  parameters: {
    positional: { kind: "array", parameter: argument("ID", "Id of a job, or a prefix no other job has") },
  },
  docs: {
    brief: "Cancel jobs that wait or run",
    fullDescription:
      `Cancel jobs for good: those that wait leave the queue, those that run are ended with all their processes.

EXAMPLES
  queuectl cancel nightly`,
    customUsage: ["ID..."],
  },
});
