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
    brief: "Show a job, its attempts, and why it waits",
    fullDescription: `Show every field of a job, its attempts with times and outcomes, and why it waits.

EXAMPLES
  queuectl show nightly
  queuectl show nightly --json | jq .waits`,
  },
});

const logsFlags = {
  all: given("Follow every running job; each line begins with its job"),
  queue: values("QUEUE", "The same for jobs of these queues: a,b"),
  stdout: given("Only its standard output"),
  stderr: given("Only its standard error, printed on standard output"),
  attempt: value("K", "Only attempt K; the newest with that number [default: the last one]"),
  lines: value(
    "N",
    "Only the last N lines of each output so far [default: all; with --all and --queue 10]",
  ),
  json,
};

/** `logs`: what a job has printed. */
export const logs = buildCommand<LogsFlags, [string?], Context>({
  loader: async () => (await import("../commands/logs.ts")).logs,
  parameters: {
    flags: {
      follow: given("Continue with new output until the job has ended for good; Ctrl-C ends it"),
      ...logsFlags,
    },
    positional: oneJobOrAll,
    aliases: { f: "follow", n: "lines" },
  },
  docs: {
    brief: "Print and follow the output of a job (also: log)",
    fullDescription:
      `Print the output of a job: of its running attempt so far, else of its last run. Its standard error goes to
standard error, unless you ask for one of the two. With --follow, continue through its next attempts until it is
completed, dead or cancelled, and say on standard error when an attempt ends or begins. "queuectl follow" is the
same as "queuectl logs --follow". --json prints an array with an object for each output; with --follow, one object
per line of output.

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
    brief: "Follow the output of a job, like logs --follow",
    fullDescription: `Follow the output of a job, or of all jobs, like "queuectl logs --follow".

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
      all: given("Wait until no job is left to run or retry"),
      queue: values("QUEUE", "The same for jobs of these queues: a,b"),
      tag: values(
        "TAG",
        "The same for jobs with this tag, or with all of several: a,b",
      ),
      timeout: value("DURATION", "Wait no longer than that, like 10m [default: as long as it takes]"),
      json,
    },
    positional: { kind: "array", parameter: id },
  },
  docs: {
    brief: "Wait until jobs have ended for good",
    fullDescription:
      `Wait until jobs are completed, dead or cancelled. A failed job that will be retried has not ended.

EXIT STATUS
  one job  0 if it is completed, else the status of its last run: 128 + n if signal n ended it, 126 if it could not start, 137 lost, 142 timed out, 143 cancelled
  several  0 if all are completed, else 1; with --all, --queue and --tag 1 while any of these jobs is dead or cancelled
  124      The timeout was over first
  130      Ctrl-C
A status that only Windows has, like -1, is 1 on other systems.
Errors have the exit statuses of all commands (2 usage, 3 not found, ...), with a line on standard error.

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
    brief: "Add a job, follow it, and end with its exit status",
    fullDescription:
      `Add a job, print its output, and end with its exit status. After --, give a program and its arguments, which are
passed unchanged. One argument alone is a command for the shell, or a job as JSON if it begins with {. See
"queuectl enqueue --help" for the forms and the fields.

Ctrl-C leaves the job alone and says how to follow it again; a second Ctrl-C within 2 s cancels it. With --json,
each line of output is an object, and the last object says how the job ended.

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
