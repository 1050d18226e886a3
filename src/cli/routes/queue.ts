/** Queues: what is set for them, pausing them, moving jobs between them. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import type { MoveFlags } from "../commands/move.ts";
import type { PauseFlags } from "../commands/pause.ts";
import type { QueueSetFlags } from "../commands/queue_set.ts";
import type { Context } from "../context.ts";
import { argument, filters, given, ids, json, state, statesHelp, value } from "./flags.ts";

type Json = { json?: boolean };

const queueList = buildCommand<Json, [], Context>({
  loader: async () =>
    (await import("../commands/queue_list.ts"))
      .queueList,
  parameters: { flags: { json } },
  docs: {
    brief: "List the queues, their limits, and the number of their jobs",
    fullDescription:
      `List the queues, what is set for them, and the number of their jobs. RUNNING is how many run, of how many
that may. A row (all) is there when all queues together are paused or limited; with --json it is always the
first, and its name is null.

EXAMPLES
  queuectl queue list
  queuectl queue list --json`,
  },
});

const queueSet = buildCommand<QueueSetFlags, [string?], Context>({
  loader: async () => (await import("../commands/queue_set.ts")).queueSet,
  parameters: {
    flags: {
      concurrency: value("N", "The most jobs of it that run at once, on all hosts together; or none"),
      rate: value(
        "RATE",
        "The most commands of it that begin within a time: 10/s, 10/m, 100/h, 5/30s; or none",
      ),
      "max-retries": value("N", "Retries of new jobs in it that do not say; or none: as by setting"),
      timeout: value(
        "DURATION",
        "Time that runs of new jobs in it may take that do not say, 0: no limit; or none",
      ),
      global: given("For all queues together: takes --concurrency"),
      json,
    },
    positional: {
      kind: "tuple",
      parameters: [{ ...argument("NAME", "Name of the queue, made if need be"), optional: true }],
    },
  },
  docs: {
    brief: "Limit a queue, or give its new jobs other defaults",
    fullDescription:
      `Limit a queue, or give its new jobs other defaults. What is not given stays as it is; none takes it away.

Limits hold for all workers on all hosts together, however many there are and whatever becomes of them. They
count from the next start on: nothing that runs is ended.

EXAMPLES
  queuectl queue set reports --concurrency 2
  queuectl queue set mail --rate 10/m --max-retries 10
  queuectl queue set mail --rate none
  queuectl queue set --global --concurrency 8`,
    customUsage: [
      "NAME [--concurrency N|none] [--rate RATE|none] [--max-retries N|none] [--timeout DURATION|none] [--json]",
      "--global --concurrency N|none [--json]",
    ],
  },
});

const queueRm = buildCommand<Json, [string], Context>({
  loader: async () => (await import("../commands/queue_rm.ts")).queueRm,
  parameters: {
    flags: { json },
    positional: { kind: "tuple", parameters: [argument("NAME", "Name of the queue")] },
  },
  docs: {
    brief: "Remove a queue that has no jobs, and what is set for it",
    fullDescription: `Remove a queue that has no jobs, and what is set for it.

EXAMPLES
  queuectl queue rm reports`,
  },
});

/** `queue`: what is set for queues. */
export const queue = buildRouteMap<string, Context>({
  routes: { list: queueList, set: queueSet, rm: queueRm },
  docs: {
    brief: "List queues and limit them",
    fullDescription: `List queues, limit them, and give their new jobs other defaults.

EXAMPLES
  queuectl queue list
  queuectl queue set reports --concurrency 2
  queuectl queue rm reports`,
  },
});

const queues = {
  kind: "array",
  parameter: argument("QUEUE", "Name of a queue; without one all are meant"),
} as const;

/** `pause`: nothing is started. */
export const pause = buildCommand<PauseFlags, string[], Context>({
  loader: async () => (await import("../commands/pause.ts")).pause,
  parameters: {
    flags: { commands: given("Also stop the commands that run, with SIGSTOP to all their processes"), json },
    positional: queues,
  },
  docs: {
    brief: "Start no more jobs, of some queues or of all",
    fullDescription:
      `Start no more jobs of these queues, or without a name of any. What runs goes on; new jobs are taken, and
wait. A worker started with --drain does not wait for jobs that are paused.

With --commands what runs is stopped where it is, on whichever host, until "queuectl resume --commands". The job stays
"processing" and keeps its place; its timeout stands still, and cancel ends it all the same. Not on Windows.

EXAMPLES
  queuectl pause
  queuectl pause reports mail
  queuectl pause reports --commands`,
    customUsage: ["[QUEUE]... [--commands] [--json]"],
  },
});

/** `resume`: jobs are started again. */
export const resume = buildCommand<PauseFlags, string[], Context>({
  loader: async () => (await import("../commands/pause.ts")).resume,
  parameters: {
    flags: { commands: given("Also let commands go on that were stopped, with SIGCONT"), json },
    positional: queues,
  },
  docs: {
    brief: "Start jobs again, of some queues or of all",
    fullDescription:
      `Start jobs of these queues again, or without a name of every queue that is paused. With --commands also let
the commands of these queues, or all, go on that "queuectl pause --commands" or "queuectl signal ID STOP" has stopped.

EXAMPLES
  queuectl resume
  queuectl resume reports
  queuectl resume reports --commands`,
    customUsage: ["[QUEUE]... [--commands] [--json]"],
  },
});

/** `move`: jobs that do not run → another queue. */
export const move = buildCommand<MoveFlags, string[], Context>({
  loader: async () => (await import("../commands/move.ts")).move,
  parameters: {
    flags: { state, ...filters, queue: value("QUEUE", "Where they go to; made if need be"), json },
    positional: ids,
  },
  docs: {
    brief: "Put jobs that do not run into another queue",
    fullDescription:
      `Put jobs that do not run into another queue. Of jobs that are named, all are moved or none; a filter takes
those that do not run.

${statesHelp}

EXAMPLES
  queuectl move nightly --queue reports
  queuectl move --state waiting --search backup --queue slow`,
    customUsage: ["ID... --queue QUEUE [--json]", "FILTERS --queue QUEUE [--json]"],
  },
});
