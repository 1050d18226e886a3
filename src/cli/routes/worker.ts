/** Workers: start, stop, list. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import type { WorkerStopFlags } from "../commands/worker_stop.ts";
import type { Context } from "../context.ts";
import { given, json, value, values } from "./flags.ts";

const workerStart = buildCommand<
  { count?: string; concurrency?: string; queue?: string[]; drain?: boolean; "pass-database"?: boolean },
  [],
  Context
>({
  loader: async () =>
    (await import("../commands/worker_start.ts"))
      .workerStart,
  parameters: {
    flags: {
      count: value("N", "Number of worker processes, 1 to 256 [default: 1]"),
      concurrency: value("K", "Commands that each worker runs at once, 1 to 1024 [default: 1]"),
      queue: values("QUEUE", "Only jobs of these queues: a,b [default: all]"),
      drain: given("End when no job is left to run or retry"),
      "pass-database": given("Pass QUEUECTL_DB to commands with the password of its URL"),
    },
  },
  docs: {
    brief: "Run jobs until stopped",
    fullDescription:
      `Run jobs in the foreground until Ctrl-C or "queuectl worker stop". Running commands then have the time of the
setting "grace" to finish; commands still running after it are terminated, and their jobs go back into the queue.

Commands get QUEUECTL_DB without a password. Commands that use the queue themselves find one in ~/.pgpass,
PGPASSFILE or PGPASSWORD of the worker, or get it with --pass-database.

With --drain, workers end when the queue is empty. They do not wait for held or paused jobs, nor for jobs of
other queues than theirs.

EXIT STATUS
  0  Stopped; with --drain no job is left and none died
  1  With --drain: a job died, or jobs are left because it was stopped
Errors have the exit statuses of all commands (2 usage, 5 the database, ...).

EXAMPLES
  queuectl worker start --count 2
  queuectl worker start --concurrency 64
  queuectl worker start --queue reports,mail
  queuectl worker start --drain`,
  },
});

const workerStop = buildCommand<WorkerStopFlags, [], Context>({
  loader: async () =>
    (await import("../commands/worker_stop.ts"))
      .workerStop,
  parameters: {
    flags: {
      now: given("Terminate running commands at once; their jobs go back into the queue"),
      grace: value(
        "DURATION",
        "Time that running commands have to finish, like 30s [default: setting grace]",
      ),
      host: value("HOST", 'Only workers on this host, named as in "worker list" [default: every host]'),
      json,
    },
  },
  docs: {
    brief: "Stop the workers and wait until they have ended",
    fullDescription:
      `Stop all managers and workers of the queue, on every host or on one, and wait until they have ended.

EXAMPLES
  queuectl worker stop
  queuectl worker stop --grace 5m
  queuectl worker stop --now
  queuectl worker stop --host build-2`,
  },
});

const workerList = buildCommand<{ json?: boolean }, [], Context>({
  loader: async () =>
    (await import("../commands/worker_list.ts"))
      .workerList,
  parameters: { flags: { json } },
  docs: {
    brief: "List the managers and workers of every host and what they run",
    fullDescription: `List the managers and workers of every host and what they run.

EXAMPLES
  queuectl worker list
  queuectl worker list --json`,
  },
});

/** `worker`: runs jobs until stopped. */
export const worker = buildRouteMap<string, Context>({
  routes: { start: workerStart, stop: workerStop, list: workerList },
  docs: {
    brief: "Start, stop and list workers",
    fullDescription: `Start, stop and list workers: the processes that run jobs.

EXAMPLES
  queuectl worker start --count 2
  queuectl worker list
  queuectl worker stop --grace 5m`,
  },
});
