/** Putting jobs into the queue. */

import { buildCommand } from "@stricli/core";
import type { EnqueueFlags } from "../commands/enqueue.ts";
import type { Context } from "../context.ts";
import { argument, given, value, values } from "./flags.ts";

/** Fields of a job as flags. */
export const fieldFlags = {
  id: value("ID", "Name of the job [default: a new UUID]"),
  priority: value("N", "Higher runs first [default: 0]"),
  delay: value("DURATION", "Not before this time has passed, like 10m"),
  at: value("TIME", "Not before then, like 2026-12-24T18:00 (local), or with a zone 2026-12-24T18:00Z"),
  timeout: value(
    "DURATION",
    "Maximum time of a run; 0 is no limit [default: of the queue, else setting timeout]",
  ),
  "max-retries": value(
    "N",
    "Retries after the first run, 0 to 1000 [default: of the queue, else setting max-retries]",
  ),
  "base-backoff": value(
    "SECONDS",
    "Retry n waits base ^ n seconds, linear base * n [default: setting base-backoff]",
  ),
  cwd: value("FOLDER", "Folder to run in [default: the current one; for JSON the worker's]"),
  env: values("NAME=VALUE", "Variable to add; may be given several times"),
  queue: value("QUEUE", "Queue of the job; its first job creates it [default: default]"),
  tag: values("TAG", "Word to find it by; several times, or a,b"),
  unique: value("KEY", "At most one job with this key waits or runs at a time"),
  "on-duplicate": value(
    "POLICY",
    "If there is one: reject, keep (the other one), or replace it [default: reject]",
  ),
  hold: given('Hold it until "queuectl release"'),
  backoff: value(
    "KIND",
    "Growth of the wait between retries: exponential, linear or fixed [default: setting backoff]",
  ),
  "max-backoff": value("DURATION", "Longest wait between retries [default: setting max-backoff]"),
  jitter: value("PART", "Random part of every wait, 0 to 1 [default: setting jitter]"),
  "retry-on": value("CODES", "Retry only after these exit statuses, like 1,70-75 or -1"),
  "no-retry-on": value("CODES", "Do not retry after these exit statuses"),
  after: values("ID", "Run only when this job is completed; several times, or a,b"),
  "after-any": values("ID", "Run only when this job has ended in any way; several times, or a,b"),
};

/** `enqueue`: (new) → pending. */
export const enqueue = buildCommand<EnqueueFlags, string[], Context>({
  loader: async () => (await import("../commands/enqueue.ts")).enqueue,
  parameters: {
    flags: {
      ...fieldFlags,
      file: value("FILE", "Add a job for every line of a file"),
      wait: given('Wait for the end; exit with the status of "queuectl wait"'),
      "print-id": given("Print the id and nothing else"),
      json: given("Print the ids as a JSON array"),
    },
    positional: { kind: "array", parameter: argument("JOB", "What to run, in one of the forms above") },
  },
  docs: {
    brief: "Add a job to the queue (also: add)",
    customUsage: [
      "[FLAGS] -- COMMAND ARG...",
      "[FLAGS] 'SHELL TEXT'",
      '[FLAGS] \'{"command": "SHELL TEXT", ...}\'',
      "[FLAGS] -",
      "[FLAGS] --file FILE",
    ],
    fullDescription:
      `Add a job to the queue, or one for every line of a file or of standard input: all of them or none.

FORMS
  -- COMMAND ARG...   A program and its arguments, as they are: no shell splits or expands them;
                      one argument alone that begins with { is JSON
  'SHELL TEXT'        A command for /bin/sh (cmd.exe on Windows), as one argument
  '{"command": ...}'  A JSON object of the fields below
  -, --file FILE      A job a line: JSON where the line begins with {, else shell text

A command runs in the folder where it was added; a JSON object in the worker's, unless it has "cwd". Flags
are fields of the job; with - or --file they hold for every line that does not say otherwise. A command that
exits with 75 is run again later, without counting the attempt.

FIELDS
  command       Text for the shell; the only field that must be there
  id            Name of the job [default: a new UUID]
  priority      Higher runs first [default: 0]
  delay         Seconds, or text like "10m", that it waits before its first run
  at            Time of its first run, like "2026-12-24T18:00" (local) or "2026-12-24T18:00+01:00"
  timeout       Seconds, or text like "10m"; 0 is no limit [default: of the queue, else setting timeout]
  max_retries   Retries after the first run, 0 to 1000 [default: of the queue, else setting max-retries]
  base_backoff  Seconds; retry n waits base_backoff ^ n, linear base_backoff * n [default: setting base-backoff]
  cwd           Folder to run in [default: the worker's]
  env           Variables to add, like {"NAME": "value"}
  attempts      Runs that it has had already [default: 0]
  queue         Name of the queue [default: "default"]
  tags          List of words to find it by
  unique        Text that no other job which waits or runs may have
  on_duplicate  "reject", "keep" or "replace", with unique [default: "reject"]
  hold          true: it does not run before it is released
  backoff       "exponential", "linear" or "fixed" [default: setting backoff]
  max_backoff   Seconds, or text like "10m"; no wait is longer [default: setting max-backoff]
  jitter        Random part of every wait, 0 to 1 [default: setting jitter]
  retry_on      List of exit statuses; only after these it is retried
  no_retry_on   List of exit statuses after which it is not retried
  after         List of ids; it runs when all of these are completed
  after_any     List of ids; it runs when all of these have ended, however

EXAMPLES
  queuectl enqueue -- lame "my song.wav" out.mp3
  queuectl enqueue 'make && ./test >log 2>&1'          (all but cmd.exe)
  queuectl enqueue "make && test.exe"                  (cmd.exe)
  queuectl enqueue --id nightly --at 2026-12-24T18:00 --env MODE=all -- ./backup
  id=$(queuectl enqueue --print-id 'make test')
  queuectl enqueue --wait -- make test && echo passed
  queuectl enqueue --timeout 10m --file commands.txt
  queuectl enqueue - < jobs.jsonl

  queuectl enqueue '{"command": "echo hello"}'         (sh, bash, zsh)
  queuectl enqueue --% "{\\"command\\": \\"echo hello\\"}" (PowerShell)
  queuectl enqueue "{\\"command\\": \\"echo hello\\"}"     (cmd.exe)

ON WINDOWS
  SHELL TEXT is one line for cmd.exe. Behind --, every argument reaches a program as it is. A batch file gets each in double quotes where it needs them, so that it starts no command; powershell.exe runs .ps1 files. Words for cmd.exe's own commands (echo, dir) cannot have % or ". In JSON, "-- PROGRAM ARGS" starts a program without cmd.exe. Commands have no input, and timeout /T 2 fails without: ping -n 3 127.0.0.1 >nul waits as long. Git Bash turns /c into a path; with MSYS_NO_PATHCONV=1 it does not.`,
  },
});
