/** What one does with the jobs of the queue: list, count, cancel, retry, remove, change. */

import { buildCommand } from "@stricli/core";
import type { ListFlags } from "../commands/list.ts";
import type { StatusFlags } from "../commands/status.ts";
import type { Context } from "../context.ts";
import type { ChangeFlags } from "../arguments/job_changes.ts";
import type { FilterFlags } from "../arguments/job_filter.ts";
import {
  argument,
  changes,
  choices,
  filters,
  given,
  ids,
  json,
  listUsage,
  paging,
  state,
  statesHelp,
  value,
} from "./flags.ts";

type Json = { json?: boolean };

/** `list`: jobs as a table or JSON. */
export const list = buildCommand<ListFlags, [], Context>({
  loader: async () => (await import("../commands/list.ts")).list,
  parameters: {
    flags: {
      state,
      ...filters,
      ...paging,
      columns: value(
        "A,B,...",
        "Show these columns [default: id,state,attempts,command, and queue where there are several]",
      ),
      json,
    },
  },
  docs: {
    brief: "List jobs, the newest last",
    fullDescription:
      `List jobs, the newest last. With --sort the first in that order come first; jobs of equal priority are listed in
the order in which they run. --json adds output, errors and times; --json --columns prints only those fields. On a
terminal, columns are cut to fit.

${statesHelp}

COLUMNS
  id, state, attempts, max_retries, priority, created, updated, due, timeout, base_backoff, cwd, env, queue, tags, held, unique, error, command

EXAMPLES
  queuectl list --state failed,dead --since 2h
  queuectl list --state waiting --sort priority,desc --limit 20
  queuectl list --queue media --tag nightly --state failed
  queuectl list --search backup --columns id,state,updated,error
  queuectl list --json --all > jobs.json
  queuectl list --json --with-cursor --limit 100 --cursor 4711`,
    customUsage: [`${listUsage} [--columns A,B,...] [--json [--with-cursor]]`],
  },
});

/** `status`: the number of jobs in every state. */
export const status = buildCommand<StatusFlags, [], Context>({
  loader: async () => (await import("../commands/status.ts")).status,
  parameters: {
    flags: {
      workers: given("Print the line about workers even if none runs"),
      watch: given(
        "Refresh every second, with the jobs finished per minute and the time left; Ctrl-C ends it",
      ),
      json,
    },
  },
  docs: {
    brief: "Count the jobs in each state",
    fullDescription:
      `Count the jobs in each state, and the waiting jobs that cannot start now: scheduled, blocked, held or paused
ones. While workers run, also print the slots in use, the jobs finished per minute, and the time left for the jobs
that can start.

EXAMPLES
  queuectl status
  queuectl status --workers --json
  queuectl status --watch`,
  },
});

/** `cancel`: jobs that wait or run → cancelled. */
export const cancel = buildCommand<FilterFlags & Json, string[], Context>({
  loader: async () => (await import("../commands/cancel.ts")).cancel,
  parameters: { flags: { state, ...filters, json }, positional: ids },
  docs: {
    brief: "Cancel waiting or running jobs",
    fullDescription:
      `Cancel jobs for good. Waiting jobs leave the queue. Running commands are terminated with all their child processes
(SIGTERM, then SIGKILL after the time of the setting "grace"). Either all named jobs are cancelled or none; a filter skips jobs that cannot be cancelled.

${statesHelp}

EXAMPLES
  queuectl cancel nightly
  queuectl cancel --state waiting --search backup
  queuectl cancel --queue media`,
    customUsage: choices,
  },
});

/** `signal`: to the commands of jobs that run. */
export const signal = buildCommand<FilterFlags & Json, string[], Context>({
  loader: async () => (await import("../commands/signal.ts")).signal,
  parameters: {
    flags: { state, ...filters, json },
    positional: {
      kind: "array",
      parameter: argument("ID", "Id of a running job; the last argument is the signal: TERM, SIGTERM or 15"),
    },
  },
  docs: {
    brief: "Send a signal to the commands of running jobs",
    fullDescription:
      `Send a signal to all processes of the commands of running jobs, on any host. Either all named jobs are signalled
or none; a filter takes running jobs. A command that a signal terminates has failed, and queuectl retries it;
"queuectl cancel" ends it for good. STOP suspends a command and CONT resumes it; its timeout stands still
meanwhile. Not on Windows, which has no signals.

${statesHelp}

EXAMPLES
  queuectl signal nightly USR1
  queuectl signal build test STOP
  queuectl signal --search backup CONT`,
    customUsage: ["ID... SIGNAL [--json]", "FILTERS SIGNAL [--json]"],
  },
});

/** `retry`: jobs that have ended, or wait for a retry → pending. */
export const retry = buildCommand<FilterFlags & ChangeFlags & Json, string[], Context>({
  loader: async () => (await import("../commands/retry.ts")).retry,
  parameters: { flags: { state, ...filters, ...changes, json }, positional: ids },
  docs: {
    brief: "Put ended or failed jobs back into the queue (also: restart)",
    fullDescription:
      `Put completed, failed, dead or cancelled jobs back into the queue, with no attempts. queuectl keeps their earlier
runs. Either all named jobs are retried or none; a filter skips jobs that cannot be retried.

${statesHelp}

EXAMPLES
  queuectl retry nightly
  queuectl retry --state failed,dead --since 2h
  queuectl retry nightly --set timeout=4h`,
    customUsage: ["ID... [CHANGES] [--json]", "FILTERS [CHANGES] [--json]"],
  },
});

/** `rm`: jobs that do not run → (gone). */
export const rm = buildCommand<FilterFlags & Json, string[], Context>({
  loader: async () => (await import("../commands/rm.ts")).rm,
  parameters: { flags: { state, ...filters, json }, positional: ids },
  docs: {
    brief: "Remove jobs for good, with their runs and output",
    fullDescription:
      `Remove jobs for good, with their runs and output. Running jobs stay; cancel them first. Either all named jobs
are removed or none; a filter skips running jobs. "queuectl clean" removes all completed jobs.

${statesHelp}

EXAMPLES
  queuectl rm nightly
  queuectl rm --state completed,cancelled --older-than 7d`,
    customUsage: choices,
  },
});

/** `clean`: completed jobs → (gone). */
export const clean = buildCommand<Omit<FilterFlags, "state"> & Json, [], Context>({
  loader: async () => (await import("../commands/rm.ts")).clean,
  parameters: { flags: { ...filters, json } },
  docs: {
    brief: "Remove all completed jobs, with their output: rm --state completed",
    fullDescription:
      `Remove all completed jobs for good, with their runs and output, like "queuectl rm --state completed". Jobs in
other states stay.

EXAMPLES
  queuectl clean
  queuectl clean --older-than 7d`,
    customUsage: ["[FILTERS] [--json]"],
  },
});

/** `edit`: other fields for jobs that do not run. */
export const edit = buildCommand<ChangeFlags & Json, string[], Context>({
  loader: async () => (await import("../commands/edit.ts")).edit,
  parameters: { flags: { ...changes, json }, positional: ids },
  docs: {
    brief: "Change jobs that are not running",
    fullDescription:
      `Change fields of jobs that are not running. Changes apply from the next run. Waiting jobs also take
delay=DURATION and at=TIME; with --unset at they run as soon as nothing else blocks them.

EXAMPLES
  queuectl edit nightly --set priority=10 --set timeout=2h
  queuectl edit nightly --set backoff=linear --set retry_on=1,70-75
  queuectl edit nightly --set env.LEVEL=debug --unset cwd
  queuectl edit nightly --set tags=backup,slow
  queuectl edit nightly --set at=2026-12-24T18:00
  queuectl edit nightly --unset at`,
    customUsage: ["ID... CHANGES [--json]"],
  },
});
