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
      `List the queues, their settings, and the number of their jobs. RUNNING is the number of running jobs, and the
limit. The row (all) appears while all queues together are paused or limited; with --json it is always the first,
and its name is null.

EXAMPLES
  queuectl queue list
  queuectl queue list --json`,
  },
});

const queueSet = buildCommand<QueueSetFlags, [string?], Context>({
  loader: async () => (await import("../commands/queue_set.ts")).queueSet,
  parameters: {
    flags: {
      concurrency: value("N", "Maximum number of its jobs that run at once, on all hosts together; or none"),
      rate: value(
        "RATE",
        "Maximum number of its commands that start within a time: 10/s, 10/m, 100/h, 5/30s; or none",
      ),
      "max-retries": value("N", "Retries of new jobs that set none; none: the setting max-retries"),
      timeout: value(
        "DURATION",
        "Timeout of new jobs that set none, 0 for no limit; none: the setting timeout",
      ),
      global: given("Limit all queues together; takes --concurrency"),
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
      `Limit a queue, or give its new jobs other defaults. Settings that are not given stay as they are; none removes one.

A limit holds for all workers on all hosts together. It applies from the next start; running commands are not
ended.

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
    brief: "Remove an empty queue, with its settings",
    fullDescription: `Remove an empty queue, with its settings.

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
  parameter: argument("QUEUE", "Name of a queue; all queues without it"),
} as const;

/** `pause`: nothing is started. */
export const pause = buildCommand<PauseFlags, string[], Context>({
  loader: async () => (await import("../commands/pause.ts")).pause,
  parameters: {
    flags: { commands: given("Also suspend running commands (SIGSTOP to all their processes)"), json },
    positional: queues,
  },
  docs: {
    brief: "Start no more jobs of some queues, or of any",
    fullDescription:
      `Start no more jobs of these queues, or of any without a name. Running jobs continue; the queue accepts new jobs,
and they wait. "worker start --drain" does not wait for paused jobs.

With --commands, queuectl also suspends the running commands on every host until "queuectl resume --commands". The
job stays "processing" and keeps its slot; its timeout stands still, and cancel still ends it. Not on Windows.

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
    flags: { commands: given("Also resume suspended commands (SIGCONT)"), json },
    positional: queues,
  },
  docs: {
    brief: "Start jobs of some queues again, or of all",
    fullDescription:
      `Start jobs of these queues again, or of every paused queue without a name. With --commands, also resume the
commands that "queuectl pause --commands" or "queuectl signal ID STOP" has suspended.

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
    flags: { state, ...filters, queue: value("QUEUE", "Target queue; created if it does not exist"), json },
    positional: ids,
  },
  docs: {
    brief: "Put jobs that are not running into another queue",
    fullDescription:
      `Put jobs that are not running into another queue. Either all named jobs are moved or none; a filter skips running
jobs.

${statesHelp}

EXAMPLES
  queuectl move nightly --queue reports
  queuectl move --state waiting --search backup --queue slow`,
    customUsage: ["ID... --queue QUEUE [--json]", "FILTERS --queue QUEUE [--json]"],
  },
});
