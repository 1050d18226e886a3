/** What one does with the jobs of the queue: list, count, cancel. */

import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { argument, json, limit, value } from "./flags.ts";

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
