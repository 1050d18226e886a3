/** The dead letter queue: list, retry, purge. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import type { Context } from "../context.ts";
import { argument, given, json, limit } from "./flags.ts";

const dlqList = buildCommand<{ limit?: string; json?: boolean }, [], Context>({
  loader: async () => (await import("../commands/dlq.ts")).dlqList,
  parameters: { flags: { limit, json } },
  docs: { brief: "List dead jobs and their last error, the newest last" },
});

const ids = {
  kind: "array",
  parameter: argument("ID", "Id of a dead job, or a prefix no other job has"),
} as const;

const dlqRetry = buildCommand<{ all?: boolean }, string[], Context>({
  loader: async () => (await import("../commands/dlq.ts")).dlqRetry,
  parameters: { flags: { all: given("Retry every dead job") }, positional: ids },
  docs: { brief: "Put dead jobs back into the queue, with no attempts", customUsage: ["ID...", "--all"] },
});

const dlqPurge = buildCommand<{ all?: boolean }, string[], Context>({
  loader: async () => (await import("../commands/dlq.ts")).dlqPurge,
  parameters: { flags: { all: given("Remove every dead job") }, positional: ids },
  docs: { brief: "Remove dead jobs for good, with their output", customUsage: ["ID...", "--all"] },
});

/** `dlq`: dead jobs → pending, or gone. */
export const dlq = buildRouteMap<string, Context>({
  routes: { list: dlqList, retry: dlqRetry, purge: dlqPurge },
  docs: { brief: "List, retry and remove dead jobs (the dead letter queue)" },
});
