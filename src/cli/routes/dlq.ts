/** The dead letter queue: list, show, retry, purge. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import type { Context } from "../context.ts";
import type { ChangeFlags } from "../arguments/job_changes.ts";
import type { FilterFlags } from "../arguments/job_filter.ts";
import type { PageFlags } from "../arguments/pagination.ts";
import { argument, changes, filters, given, json, listUsage, paging, value } from "./flags.ts";

type DeadFilterFlags = Omit<FilterFlags, "state">;

const id = argument("ID", "Id of a dead job, or a prefix no other job has");
const ids = { kind: "array", parameter: id } as const;
const dlqList = buildCommand<DeadFilterFlags & PageFlags & { columns?: string }, [], Context>({
  loader: async () => (await import("../commands/dlq.ts")).dlqList,
  parameters: {
    flags: {
      ...filters,
      ...paging,
      columns: value("A,B,...", "Show these columns, those of list [default: id,command,error]"),
      json,
    },
  },
  docs: {
    brief: "List dead jobs and their last error, the newest last",
    fullDescription:
      `List dead jobs and their last error, the newest last; with --sort the first in that order.

EXAMPLES
  queuectl dlq list
  queuectl dlq list --search backup --since 1d
  queuectl dlq list --columns id,attempts,updated,error
  queuectl dlq list --json --all`,
    customUsage: [`${listUsage} [--columns A,B,...] [--json [--with-cursor]]`],
  },
});

const dlqShow = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () => (await import("../commands/dlq.ts")).dlqShow,
  parameters: { flags: { json }, positional: { kind: "tuple", parameters: [id] } },
  docs: {
    brief: "Show a dead job and its attempts, like show",
    fullDescription: `Show a dead job and its attempts, like "queuectl show".

EXAMPLES
  queuectl dlq show nightly`,
  },
});

const dlqRetry = buildCommand<
  DeadFilterFlags & ChangeFlags & { all?: boolean; json?: boolean },
  string[],
  Context
>({
  loader: async () => (await import("../commands/dlq.ts")).dlqRetry,
  parameters: {
    flags: { all: given("Retry every dead job"), ...filters, ...changes, json },
    positional: ids,
  },
  docs: {
    brief: "Put dead jobs back into the queue, with no attempts",
    fullDescription:
      `Put dead jobs back into the queue, with no attempts: "queuectl retry" of dead jobs alone.

EXAMPLES
  queuectl dlq retry nightly
  queuectl dlq retry --all --set max_retries=5
  queuectl dlq retry --search backup --since 1d`,
    customUsage: ["ID... [CHANGES] [--json]", "FILTERS [CHANGES] [--json]", "--all [CHANGES] [--json]"],
  },
});

const dlqPurge = buildCommand<DeadFilterFlags & { all?: boolean; json?: boolean }, string[], Context>({
  loader: async () => (await import("../commands/dlq.ts")).dlqPurge,
  parameters: { flags: { all: given("Remove every dead job"), ...filters, json }, positional: ids },
  docs: {
    brief: "Remove dead jobs for good, with their output",
    fullDescription: `Remove dead jobs for good, with their runs and output.

EXAMPLES
  queuectl dlq purge nightly
  queuectl dlq purge --older-than 7d`,
    customUsage: ["ID... [--json]", "FILTERS [--json]", "--all [--json]"],
  },
});

/** `dlq`: dead jobs → pending, or gone. */
export const dlq = buildRouteMap<string, Context>({
  routes: { list: dlqList, show: dlqShow, retry: dlqRetry, purge: dlqPurge },
  docs: {
    brief: "List, show, retry and remove dead jobs (the dead letter queue)",
    fullDescription:
      `List, show, retry and remove dead jobs: jobs in the dead letter queue, which failed for good.

EXAMPLES
  queuectl dlq list
  queuectl dlq show nightly
  queuectl dlq retry --all --set max_retries=5
  queuectl dlq purge --older-than 7d`,
  },
});
