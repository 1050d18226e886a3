/** Seeing what jobs are and do: now, and until they have ended. */

import { buildCommand } from "@stricli/core";
import type { LogsFlags } from "../commands/logs.ts";
import type { WaitFlags } from "../commands/wait.ts";
import { later } from "../../later.ts";
import type { Context } from "../context.ts";
import type { FieldFlags } from "../enqueue_fields.ts";
import { fieldFlags } from "./enqueue.ts";
import { argument, given, json, value, values } from "./flags.ts";

const id = argument("ID", "Id of a job, or a prefix no other job has");
const oneJob = { kind: "tuple", parameters: [id] } as const;
const oneJobOrAll = { kind: "tuple", parameters: [{ ...id, optional: true }] } as const;

/** `show`: all about one job. */
export const show = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () =>
    (await import(later("../commands/show.ts")) as typeof import("../commands/show.ts")).show,
  parameters: { flags: { json }, positional: oneJob },
  docs: {
    brief: "Show all about a job, its attempts, and why it waits",
    fullDescription: `Show every field of a job, its attempts with times and outcomes, and why it waits.

EXAMPLES
  queuectl show nightly
  queuectl show nightly --json | jq .waits`,
  },
});

const logsFlags = {
  all: given("Follow every job that runs or is started, each line with its job in front"),
  queue: values("QUEUE", "The same for the jobs of these queues: a,b"),
  stdout: given("Only what it prints on standard output"),
  stderr: given("Only what it prints on standard error, to standard output"),
  attempt: value("K", "Only attempt K, the newest with that number [default: the last one]"),
  lines: value(
    "N",
    "Of what there is only the last N lines of each output [default: all; with --all and --queue 10]",
  ),
};

/** `logs`: what a job has printed. */
export const logs = buildCommand<LogsFlags, [string?], Context>({
  loader: async () =>
    (await import(later("../commands/logs.ts")) as typeof import("../commands/logs.ts")).logs,
  parameters: {
    flags: {
      follow: given("Go on with what it prints, until it has ended for good; Ctrl-C ends it"),
      ...logsFlags,
    },
    positional: oneJobOrAll,
    aliases: { f: "follow", n: "lines" },
  },
  docs: {
    brief: "Print what a job has printed, and follow it",
    fullDescription:
      `Print what a job has printed: so far where it runs, else in its last run. Its standard error goes to standard
error, unless one of the two is asked for. With --follow go on through its next attempts, until it is completed,
dead or cancelled; when an attempt ends or begins is said on standard error.

EXAMPLES
  queuectl logs nightly
  queuectl logs -f nightly
  queuectl logs -f -n 0 nightly
  queuectl logs --stderr --attempt 1 nightly | tail
  queuectl logs -f --all
  queuectl logs -f --queue media,mail`,
    customUsage: [
      "[-f] [--stdout|--stderr] [--attempt K] [-n N] ID",
      "-f --all [--stdout|--stderr] [-n N]",
      "-f --queue QUEUE [--stdout|--stderr] [-n N]",
    ],
  },
});

/** `follow`: the same as `logs --follow`. */
export const follow = buildCommand<LogsFlags, [string?], Context>({
  loader: async () =>
    (await import(later("../commands/logs.ts")) as typeof import("../commands/logs.ts")).follow,
  parameters: {
    // Typed all the same, as for tail and logs.
    flags: { follow: { ...given("It follows anyway"), hidden: true }, ...logsFlags },
    positional: oneJobOrAll,
    aliases: { f: "follow", n: "lines" },
  },
  docs: {
    brief: "Follow what a job prints: the same as logs --follow",
    fullDescription: `Follow what a job prints, or all of them: the same as "queuectl logs --follow".

EXAMPLES
  queuectl follow nightly
  queuectl follow --all`,
    customUsage: [
      "[--stdout|--stderr] [--attempt K] [-n N] ID",
      "--all [--stdout|--stderr] [-n N]",
      "--queue QUEUE [--stdout|--stderr] [-n N]",
    ],
  },
});

/** `wait`: until jobs have ended. */
export const wait = buildCommand<WaitFlags, string[], Context>({
  loader: async () =>
    (await import(later("../commands/wait.ts")) as typeof import("../commands/wait.ts")).wait,
  parameters: {
    flags: {
      all: given("Wait until nothing is left to run or retry"),
      queue: values("QUEUE", "The same for the jobs of these queues: a,b"),
      tag: values(
        "TAG",
        "The same for the jobs with this tag; with all of them, where several are given: a,b",
      ),
      timeout: value("DURATION", "Wait no longer than that, like 10m [default: as long as it takes]"),
    },
    positional: { kind: "array", parameter: id },
  },
  docs: {
    brief: "Wait until jobs have ended for good",
    fullDescription:
      `Wait until jobs are completed, dead or cancelled; one that has failed and will be retried goes on.

EXIT STATUS
  of one job   its own: 0 when completed, else that of its last run, 128 + n when signal n ended it;
               126 could not be started   137 lost   142 timed out   143 cancelled
  of several   0 when all are completed, else 1; with --all, --queue or --tag for those that ended
               meanwhile
  124          the time was over before
Mistakes have the statuses of all commands (2 usage, 3 not found, …) and a line on standard error.

EXAMPLES
  queuectl wait nightly && echo done
  queuectl wait --timeout 10m build test
  queuectl wait --all
  queuectl wait --queue media && echo done`,
    customUsage: [
      "[--timeout DURATION] ID...",
      "[--timeout DURATION] --all",
      "[--timeout DURATION] [--queue QUEUE]... [--tag TAG]...",
    ],
  },
});

/** `run`: enqueues a command and follows it. */
export const run = buildCommand<FieldFlags, string[], Context>({
  loader: async () => (await import(later("../commands/run.ts")) as typeof import("../commands/run.ts")).run,
  parameters: {
    flags: fieldFlags,
    positional: { kind: "array", parameter: argument("JOB", 'What to run, as for "queuectl enqueue"') },
  },
  docs: {
    brief: "Put a job into the queue, follow it, and end with its exit status",
    fullDescription:
      `Put a job into the queue, print what it prints, and end with its exit status, which is that of "queuectl wait".
What comes after -- is a program and its arguments, as they are; one argument alone is a command for the shell.

Ctrl-C leaves the job alone and says how to follow it again; a second Ctrl-C within 2 s cancels it.

EXAMPLES
  queuectl run -- make -j4 test
  queuectl run 'sort *.txt | uniq -c'
  queuectl run --max-retries 0 --timeout 10m -- ./build`,
    customUsage: ["[FLAGS] -- COMMAND ARGUMENT...", "[FLAGS] 'SHELL TEXT'"],
  },
});
