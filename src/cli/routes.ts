/** The commands: names, flags, help. What a command does is loaded when it is run. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import type { Context } from "./context.ts";

// Values are taken as text and checked by the command, which has the words to explain them.
const value = (placeholder: string, brief: string) =>
  ({ kind: "parsed", parse: String, optional: true, placeholder, brief }) as const;
const given = (brief: string) => ({ kind: "boolean", optional: true, withNegated: false, brief }) as const;
const argument = (placeholder: string, brief: string) => ({ parse: String, placeholder, brief }) as const;

const json = given("Print JSON");
const limit = value("N", "Show the newest N jobs [default 1000]");

const enqueue = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () => (await import("./commands/enqueue.ts")).enqueue,
  parameters: {
    flags: { json: given("Print the ids as a JSON array") },
    positional: {
      kind: "tuple",
      parameters: [argument("JSON", "The job, or - for one job a line on standard input")],
    },
  },
  docs: {
    brief: "Put a job into the queue",
    fullDescription:
      `Put a job into the queue, or all that standard input has, a line each: all of them or none.

FIELDS
  command       Text for the shell; the only field that must be there
  id            Name of the job [default: a new UUID]
  max_retries   Retries after the first run, 0 to 1000 [default: setting max-retries]
  base_backoff  Seconds; retry n waits base_backoff ^ n [default: setting base-backoff]
  timeout       Seconds, or text like "10m"; 0 is no limit [default: setting timeout]
  priority      Higher runs first [default: 0]
  cwd           Folder to run in [default: the worker's]
  env           Variables to add, like {"NAME": "value"}
  attempts      Runs that it has had already [default: 0]

EXAMPLES
  queuectl enqueue '{"command": "echo hello"}'                        (sh, bash, zsh)
  queuectl enqueue --% "{\\"command\\": \\"echo hello\\"}"                (PowerShell)
  queuectl enqueue "{\\"command\\": \\"echo hello\\"}"                    (cmd.exe)
  queuectl enqueue '{"id": "nightly", "command": "make", "cwd": "/src", "timeout": "2h"}'
  queuectl enqueue - < jobs.jsonl`,
  },
});

const list = buildCommand<{ state?: string; limit?: string; json?: boolean }, [], Context>({
  loader: async () => (await import("./commands/list.ts")).list,
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

const status = buildCommand<{ json?: boolean }, [], Context>({
  loader: async () => (await import("./commands/status.ts")).status,
  parameters: { flags: { json } },
  docs: { brief: "Count the jobs in every state" },
});

const workerStart = buildCommand<{ count?: string; concurrency?: string; drain?: boolean }, [], Context>({
  loader: async () => (await import("./commands/worker_start.ts")).workerStart,
  parameters: {
    flags: {
      count: value("N", "Worker processes, 1 to 256 [default 1]"),
      concurrency: value("K", "Commands that each of them runs side by side, 1 to 1024 [default 1]"),
      drain: given("End when nothing is left to run or retry; the exit status is 1 if a job died meanwhile"),
    },
  },
  docs: {
    brief: "Run jobs, until asked to stop",
    fullDescription:
      `Run jobs in the foreground until Ctrl-C or "queuectl worker stop". Running commands may then finish
within the setting "grace"; what does not is ended and goes back into the queue.

EXAMPLES
  queuectl worker start --count 2
  queuectl worker start --concurrency 64
  queuectl worker start --drain`,
  },
});

const workerStop = buildCommand<{ now?: boolean; grace?: string; host?: string }, [], Context>({
  loader: async () => (await import("./commands/worker_stop.ts")).workerStop,
  parameters: {
    flags: {
      now: given("End running commands at once; they go back into the queue"),
      grace: value("DURATION", "Time that running commands are given, like 30s [default: setting grace]"),
      host: value("H", 'Only those of this host, named as in "worker list" [default: of every host]'),
    },
  },
  docs: {
    brief: "Stop the workers of the queue and wait until they are gone",
    fullDescription:
      `Stop all managers and workers of the queue, on every host or on one, and wait until they are gone.

EXAMPLES
  queuectl worker stop
  queuectl worker stop --grace 5m
  queuectl worker stop --now
  queuectl worker stop --host build-2`,
  },
});

const workerList = buildCommand<{ json?: boolean }, [], Context>({
  loader: async () => (await import("./commands/worker_list.ts")).workerList,
  parameters: { flags: { json } },
  docs: { brief: "List the managers and workers of every host and what they run" },
});

const worker = buildRouteMap<string, Context>({
  routes: { start: workerStart, stop: workerStop, list: workerList },
  docs: { brief: "Start, stop and list workers" },
});

const dlqList = buildCommand<{ limit?: string; json?: boolean }, [], Context>({
  loader: async () => (await import("./commands/dlq.ts")).dlqList,
  parameters: { flags: { limit, json } },
  docs: { brief: "List dead jobs and their last error, the newest last" },
});

const ids = {
  kind: "array",
  parameter: argument("ID", "Id of a dead job, or a prefix no other job has"),
} as const;

const dlqRetry = buildCommand<{ all?: boolean }, string[], Context>({
  loader: async () => (await import("./commands/dlq.ts")).dlqRetry,
  parameters: { flags: { all: given("Retry every dead job") }, positional: ids },
  docs: { brief: "Put dead jobs back into the queue, with no attempts", customUsage: ["ID...", "--all"] },
});

const dlqPurge = buildCommand<{ all?: boolean }, string[], Context>({
  loader: async () => (await import("./commands/dlq.ts")).dlqPurge,
  parameters: { flags: { all: given("Remove every dead job") }, positional: ids },
  docs: { brief: "Remove dead jobs for good, with their output", customUsage: ["ID...", "--all"] },
});

const dlq = buildRouteMap<string, Context>({
  routes: { list: dlqList, retry: dlqRetry, purge: dlqPurge },
  docs: { brief: "List, retry and remove dead jobs (the dead letter queue)" },
});

const key = argument("KEY", "Name of the setting");

const configList = buildCommand<{ json?: boolean }, [], Context>({
  loader: async () => (await import("./commands/config.ts")).configList,
  parameters: { flags: { json } },
  docs: { brief: "List all settings" },
});

const configGet = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () => (await import("./commands/config.ts")).configGet,
  parameters: { flags: { json }, positional: { kind: "tuple", parameters: [key] } },
  docs: { brief: "Print the value of a setting" },
});

const configSet = buildCommand<NonNullable<unknown>, [string, string], Context>({
  loader: async () => (await import("./commands/config.ts")).configSet,
  parameters: { positional: { kind: "tuple", parameters: [key, argument("VALUE", "The new value")] } },
  docs: { brief: "Change a setting" },
});

const configUnset = buildCommand<NonNullable<unknown>, [string], Context>({
  loader: async () => (await import("./commands/config.ts")).configUnset,
  parameters: { positional: { kind: "tuple", parameters: [key] } },
  docs: { brief: "Put a setting back to its default" },
});

const config = buildRouteMap<string, Context>({
  routes: { list: configList, get: configGet, set: configSet, unset: configUnset },
  docs: {
    brief: "Show and change the settings of the queue",
    fullDescription: `Show and change the settings, which are kept in the database.

SETTINGS
  max-retries   Retries of a new job after its first run [default 3]
  base-backoff  Seconds; retry n waits base-backoff ^ n [default 2]
  max-backoff   The longest wait before a retry [default 1h]
  timeout       Time that a run may take; 0 is no limit [default 1h]
  grace         Time that running commands are given on a stop [default 10s]
  lease         Time after which a worker that is not heard of is taken for gone [default 30s]
  max-output    What is kept of each output of a run [default 1MiB]

EXAMPLES
  queuectl config set max-retries 5
  queuectl config set timeout 10m`,
  },
});

const cancel = buildCommand<NonNullable<unknown>, string[], Context>({
  loader: async () => (await import("./commands/cancel.ts")).cancel,
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

const migrate = buildCommand<
  { from?: string; to?: string; json?: boolean; abandon?: boolean },
  [],
  Context
>({
  loader: async () => (await import("./commands/migrate.ts")).migrate,
  parameters: {
    flags: {
      from: value("DATABASE", "Where the queue is; a file or a postgres:// URL"),
      to: value("DATABASE", "Where it is to be; made if need be, and without jobs"),
      json,
      abandon: given("Use the queue on after an interrupted move whose target is lost for good"),
    },
  },
  docs: {
    brief: "Move a queue to another database: from a file to PostgreSQL, and back",
    fullDescription:
      `Move a queue with all its jobs, runs, outputs and settings to another database, in one transaction.
Afterwards the old one is empty. --db may stand in for one of --from and --to.

Stop all workers first. Nothing can be put into the queue while it moves. When it is interrupted at any
moment, run the same command again: it finishes the move, or begins anew.

EXAMPLES
  queuectl migrate --from queuectl.db --to postgres://me@db.example.com/jobs
  queuectl migrate --from postgres://me@db.example.com/jobs --to queuectl.db`,
    customUsage: ["--from DATABASE --to DATABASE [--json]", "--from DATABASE --abandon"],
  },
});

const doctor = buildCommand<NonNullable<unknown>, [], Context>({
  loader: async () => (await import("./commands/doctor.ts")).doctor,
  parameters: {},
  docs: {
    brief: "Check the database, its files and its workers, and say what to do",
    fullDescription:
      `Check the database, its files and its workers: a line each, with what to do where something is wrong.
Nothing is repaired. The exit status is 0 when all is well, else that of the first error (5: the database).`,
  },
});

const logs = buildCommand<{ stdout?: boolean; stderr?: boolean }, [string], Context>({
  loader: async () => (await import("./commands/logs.ts")).logs,
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

/** All commands. */
export const routes = buildRouteMap<string, Context>({
  routes: { enqueue, worker, list, logs, status, cancel, dlq, config, migrate, doctor },
  docs: {
    brief: "A job queue for shell commands",
    fullDescription: `A job queue for shell commands.

EXAMPLES
  queuectl enqueue '{"command": "echo hello"}'              (sh, bash, zsh)
  queuectl enqueue --% "{\\"command\\": \\"echo hello\\"}"      (PowerShell)
  queuectl worker start --count 2
  queuectl list

EXIT STATUS
  0 done   1 a bug, or with --drain a job that died   2 wrong usage, input or setting   3 not found
  4 conflict (id exists, wrong state)   5 the database cannot be used   6 it is of a newer queuectl`,
  },
});
