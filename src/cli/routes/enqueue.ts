/** Putting jobs into the queue. */

import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { argument, given } from "./flags.ts";

/** `enqueue`: (new) → pending. */
export const enqueue = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () => (await import("../commands/enqueue.ts")).enqueue,
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
