/** Seeing what jobs are and do: now, and until they have ended. */

import { buildCommand } from "@stricli/core";
import type { LogsFlags } from "../commands/logs.ts";
import type { RunFlags } from "../commands/run.ts";
import type { WaitFlags } from "../commands/wait.ts";
import type { Context } from "../context.ts";
import { fieldFlags } from "./enqueue.ts";
import { argument, given, json, value, values } from "./flags.ts";

const id = argument("ID", "Id of a job, or a prefix no other job has");
const oneJob = { kind: "tuple", parameters: [id] } as const;
const oneJobOrAll = { kind: "tuple", parameters: [{ ...id, optional: true }] } as const;

/** `show`: all about one job. */
export const show = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () => (await import("../commands/show.ts")).show,
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
  json,
};

/** `logs`: what a job has printed. */
export const logs = buildCommand<LogsFlags, [string?], Context>({
  loader: async () => (await import("../commands/logs.ts")).logs,
  parameters: {
    flags: {
      follow: given("Go on with what it prints, until it has ended for good; Ctrl-C ends it"),
      ...logsFlags,
    },
    positional: oneJobOrAll,
    aliases: { f: "follow", n: "lines" },
  },
  docs: {
    brief: "Print what a job has printed, and follow it (also: log)",
    fullDescription:
      `Print what a job has printed: so far where it runs, else in its last run. Its standard error goes to standard
error, unless one of the two is asked for. With --follow go on through its next attempts, until it is completed,
dead or cancelled, and say on standard error when an attempt ends or begins. "queuectl follow" is the same as
"queuectl logs --follow". With --json it is an array with an object for each output; with --follow an object a line
for each line of them.

EXAMPLES
  queuectl logs nightly
  queuectl logs -f nightly
  queuectl logs -f -n 0 nightly
  queuectl logs --stderr --attempt 1 nightly | tail
  queuectl logs -f --all
  queuectl logs -f --queue media,mail
  queuectl logs -f --all --json >> printed.jsonl`,
    customUsage: [
      "ID [-f] [--stdout|--stderr] [--attempt K] [-n N] [--json]",
      "-f --all [--stdout|--stderr] [-n N] [--json]",
      "-f --queue QUEUE... [--stdout|--stderr] [-n N] [--json]",
    ],
  },
});

/** `follow`: the same as `logs --follow`. */
export const follow = buildCommand<LogsFlags, [string?], Context>({
  loader: async () => (await import("../commands/logs.ts")).follow,
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
      "ID [--stdout|--stderr] [--attempt K] [-n N] [--json]",
      "--all [--stdout|--stderr] [-n N] [--json]",
      "--queue QUEUE... [--stdout|--stderr] [-n N] [--json]",
    ],
  },
});

/** `wait`: until jobs have ended. */
export const wait = buildCommand<WaitFlags, string[], Context>({
  loader: async () => (await import("../commands/wait.ts")).wait,
  parameters: {
    flags: {
      all: given("Wait until nothing is left to run or retry"),
      queue: values("QUEUE", "The same for the jobs of these queues: a,b"),
      tag: values(
        "TAG",
        "The same for the jobs with this tag; with all of them, where several are given: a,b",
      ),
      timeout: value("DURATION", "Wait no longer than that, like 10m [default: as long as it takes]"),
      json,
    },
    positional: { kind: "array", parameter: id },
  },
  docs: {
    brief: "Wait until jobs have ended for good",
    fullDescription:
      `Wait until jobs are completed, dead or cancelled; one that has failed and will be retried goes on.

EXIT STATUS
  one job  0 when it is completed, else that of its last run: 128 + n when it was ended by signal n, 126 when it could not be started, 137 lost, 142 timed out, 143 cancelled
  several  0 when all are completed, else 1; with --all, --queue and --tag 1 as long as any of these jobs is dead or cancelled
  124      The time was over before
  130      Ctrl-C
A status that only Windows has, like -1, is 1 on other systems.
Mistakes have the statuses of all commands (2 usage, 3 not found, ...), with a line on standard error.

EXAMPLES
  queuectl wait nightly && echo done
  queuectl wait --timeout 10m build test
  queuectl wait --all
  queuectl wait --queue media && echo done
  queuectl wait --json build test | jq -r '.[] | select(.exit_status != 0).id'`,
    customUsage: [
      "ID... [--timeout DURATION] [--json]",
      "--all [--timeout DURATION] [--json]",
      "[--queue QUEUE]... [--tag TAG]... [--timeout DURATION] [--json]",
    ],
  },
});

/** `run`: enqueues a command and follows it. */
export const run = buildCommand<RunFlags, string[], Context>({
  loader: async () => (await import("../commands/run.ts")).run,
  parameters: {
    flags: { ...fieldFlags, json },
    positional: { kind: "array", parameter: argument("JOB", 'What to run, as for "queuectl enqueue"') },
  },
  docs: {
    brief: "Put a job into the queue, follow it, and end with its exit status",
    fullDescription: `Put a job into the queue, print what it prints, and end with its exit status.
What comes after -- is a program and its arguments, as they are; one argument alone is a command for the shell,
or a job as JSON where it begins with {. See "queuectl enqueue --help" for the forms and the fields.

Ctrl-C leaves the job alone and says how to follow it again; a second Ctrl-C within 2 s cancels it.
With --json what it prints is an object a line, and so is, at last, how it has ended.

EXIT STATUS
  That of "queuectl wait" for the job; 130 after Ctrl-C

EXAMPLES
  queuectl run -- make -j4 test
  queuectl run 'sort *.txt | uniq -c'
  queuectl run --max-retries 0 --timeout 10m -- ./build
  queuectl run '{"command": "make test", "cwd": "/src"}'`,
    customUsage: [
      "[FLAGS] -- COMMAND ARG...",
      "[FLAGS] 'SHELL TEXT'",
      '[FLAGS] \'{"command": "SHELL TEXT", ...}\'',
    ],
  },
});
