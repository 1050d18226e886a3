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
      `Check the database, its files and its workers: a line each, with what to do where something is wrong.
Nothing is repaired. The exit status is 0 when all is well, else that of the first error (5: the database).

EXAMPLES
  queuectl doctor
  queuectl doctor --db /srv/jobs.db
  queuectl doctor --json`,
  },
});
