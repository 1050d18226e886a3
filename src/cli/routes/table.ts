/** All commands put together. Names, flags and help are in routes/; what a command does is loaded when it is run. */

import { buildRouteMap } from "@stricli/core";
import type { Context } from "../context.ts";
import { config } from "./config.ts";
import { dlq } from "./dlq.ts";
import { enqueue } from "./enqueue.ts";
import { follow, logs, run, show, wait } from "./follow.ts";
import { hold, release } from "./hold.ts";
import { cancel, clean, edit, list, retry, rm, signal, status } from "./jobs.ts";
import { doctor, migrate } from "./maintenance.ts";
import { move, pause, queue, resume } from "./queue.ts";
import { worker } from "./worker.ts";

/** All commands. */
export const routes = buildRouteMap<string, Context>({
  routes: {
    enqueue,
    run,
    worker,
    list,
    show,
    logs,
    follow,
    wait,
    status,
    cancel,
    retry,
    rm,
    clean,
    hold,
    release,
    edit,
    move,
    signal,
    queue,
    pause,
    resume,
    dlq,
    config,
    migrate,
    doctor,
  },
  aliases: { add: "enqueue", log: "logs", restart: "retry" },
  docs: {
    brief: "A job queue for shell commands",
    fullDescription: `A job queue for shell commands.

EXAMPLES
  queuectl enqueue -- echo hello
  queuectl enqueue '{"command": "echo hello"}'         (sh, bash, zsh)
  queuectl enqueue --% "{\\"command\\": \\"echo hello\\"}" (PowerShell, cmd.exe)
  queuectl worker start --count 2
  queuectl list

EXIT STATUS
  0 done   1 a bug; with --drain a job died, or some are left   2 wrong usage
  3 not found   4 conflict (id exists, wrong state)   5 database not usable
  6 database of a newer queuectl   wait, run, enqueue --wait: that of the job`,
  },
});
