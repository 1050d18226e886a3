/** All commands put together. Names, flags and help are in routes/; what a command does is loaded when it is run. */

import { buildRouteMap } from "@stricli/core";
import type { Context } from "./context.ts";
import { config } from "./routes/config.ts";
import { dlq } from "./routes/dlq.ts";
import { enqueue } from "./routes/enqueue.ts";
import { follow, logs, run, show, wait } from "./routes/follow.ts";
import { cancel, clean, edit, hold, list, release, retry, rm, signal, status } from "./routes/jobs.ts";
import { doctor, migrate } from "./routes/maintenance.ts";
import { move, pause, queue, resume } from "./routes/queue.ts";
import { worker } from "./routes/worker.ts";

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
    signal,
    retry,
    rm,
    clean,
    edit,
    move,
    pause,
    resume,
    queue,
    hold,
    release,
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
  queuectl enqueue '{"command": "echo hello"}'              (sh, bash, zsh)
  queuectl enqueue --% "{\\"command\\": \\"echo hello\\"}"      (PowerShell)
  queuectl worker start --count 2
  queuectl list

EXIT STATUS
  0 done   1 a bug, or with --drain a job that died   2 wrong usage, input or setting   3 not found
  4 conflict (id exists, wrong state)   5 the database cannot be used   6 it is of a newer queuectl`,
  },
});
