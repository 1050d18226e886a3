/** Care of the database: moving a queue, looking for damage. */

import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { given, json, value } from "./flags.ts";

/** `migrate`: a queue moves to another database. */
export const migrate = buildCommand<
  { from?: string; to?: string; json?: boolean; abandon?: boolean },
  [],
  Context
>({
  loader: async () => (await import("../commands/migrate.ts")).migrate,
  parameters: {
    flags: {
      from: value("DATABASE", "Database to move from; a file or a postgres:// URL"),
      to: value("DATABASE", "Database to move to; created if it does not exist, and without jobs"),
      json,
      abandon: given("Keep using the old queue after an interrupted move whose target is lost for good"),
    },
  },
  docs: {
    brief: "Move a queue to another database: from a file to PostgreSQL, and back",
    fullDescription:
      `Move a queue with all its jobs, runs, outputs and settings to another database, in one transaction.
Afterwards the old one is empty. --db can replace one of --from and --to.

Stop all workers first. The queue accepts no jobs while it moves. If the move is interrupted, run the same command
again: it finishes the move, or starts it again.

EXAMPLES
  queuectl migrate --from queuectl.db --to postgres://me@db.example.com/jobs
  queuectl migrate --from postgres://me@db.example.com/jobs --to queuectl.db`,
    customUsage: ["--from DATABASE --to DATABASE [--json]", "--from DATABASE --abandon [--json]"],
  },
});

/** `doctor`: looks for damage. */
export const doctor = buildCommand<{ json?: boolean }, [], Context>({
  loader: async () => (await import("../commands/doctor.ts")).doctor,
  parameters: { flags: { json } },
  docs: {
    brief: "Check the database, its files and its workers, and say what to do",
    fullDescription:
      `Check the database, its files and its workers. Prints one line each, with advice for each problem; repairs
nothing. The exit status is 0 if all is well, else that of the first error (5: the database).

EXAMPLES
  queuectl doctor
  queuectl doctor --db /srv/jobs.db
  queuectl doctor --json`,
  },
});
