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
      `List jobs, the newest last; with --sort the first in that order, and those of one priority as they run. With
--json also their output, errors and times; with --json --columns only those fields. On a terminal columns are
cut to fit.

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
      workers: given("Tell of the workers also where none runs"),
      watch: given(
        "Show it anew every second, with what is finished a minute and the time left; Ctrl-C ends it",
      ),
      json,
    },
  },
  docs: {
    brief: "Count the jobs in every state",
    fullDescription:
      `Count the jobs in every state, and tell which of those that wait cannot be started now: scheduled, blocked, held
or paused ones. While workers run also their slots in use, the jobs finished a minute, and the time left for those
that can be started.

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
    brief: "Cancel jobs that wait or run",
    fullDescription:
      `Cancel jobs for good: those that wait leave the queue, those that run are ended with all their processes,
by TERM, and by KILL when the time of the setting "grace" is over. Of jobs that are named, all are cancelled or none; a filter takes those that can be.

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
      parameter: argument("ID", "Id of a job that runs, and as the last one a signal: TERM, SIGTERM or 15"),
    },
  },
  docs: {
    brief: "Send a signal to the commands of jobs that run",
    fullDescription:
      `Send a signal to all processes of the commands of jobs that run, on whichever host. Of jobs that are named,
all are signalled or none; a filter takes those that run. A command that is ended by a signal has failed, and
is retried; "queuectl cancel" ends it for good. STOP suspends a command and CONT lets it go on: its
timeout stands still meanwhile. Not on Windows, which has no signals.

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
    brief: "Put jobs that ended or failed back into the queue (also: restart)",
    fullDescription:
      `Put completed, failed, dead or cancelled jobs back into the queue, with no attempts. Their earlier runs are
kept. Of jobs that are named, all are retried or none; a filter takes those that can be.

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
      `Remove jobs for good, with their runs and all they have printed. Those that run stay: cancel them first.
Of jobs that are named, all are removed or none; a filter takes those that do not run. "queuectl clean" removes
those that are completed.

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
      `Remove all completed jobs for good, with their runs and all they have printed: the same as
"queuectl rm --state completed". Jobs of all other states stay.

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
    brief: "Change jobs that do not run",
    fullDescription:
      `Change fields of jobs that do not run; they count from the next run on. Jobs that wait also take
delay=DURATION and at=TIME, and run now, or when nothing else keeps them, with --unset at.

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
