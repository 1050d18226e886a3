/** The one vocabulary by which commands choose jobs: `--state`, `--queue`, `--tag`, `--search`, `--since`, `--older-than`, or ids. */

import { parseDuration } from "../../base/duration.ts";
import { QueuectlError } from "../../base/errors.ts";
import { jobStates } from "../../job/job.ts";
import { fieldProblem } from "../../job/job_fields.ts";
import { parseMoment } from "../../base/moment.ts";
import { didYouMean } from "../../base/nearest.ts";
import { words } from "./flag_values.ts";
import {
  type JobFilter,
  type JobKind,
  jobViews,
  type Moment,
  type Selection,
} from "../../store/job_filter.ts";

/** What is given to the flags. */
export interface FilterFlags {
  readonly state?: readonly string[];
  readonly queue?: readonly string[];
  readonly tag?: readonly string[];
  readonly search?: string;
  readonly since?: string;
  readonly "older-than"?: string;
}

const kinds: readonly JobKind[] = [...jobStates, ...jobViews];

/** What other tools call them. */
const synonyms: Readonly<Record<string, JobKind>> = {
  running: "processing",
  started: "processing",
  active: "processing",
  queued: "waiting",
  ready: "waiting",
  done: "completed",
  success: "completed",
  succeeded: "completed",
  successful: "completed",
  finished: "completed",
  ok: "completed",
  error: "failed",
  errored: "failed",
  failure: "failed",
  retrying: "failed",
  dlq: "dead",
  canceled: "cancelled",
  killed: "cancelled",
  aborted: "cancelled",
  delayed: "scheduled",
  stashed: "held",
  paused: "held",
};

/** Characters of a text that is searched for. */
const maxSearchLength = 1000;

/** The filter that the flags describe; undefined where none of them is given. Throws `usage`. */
export function filterOf(flags: FilterFlags): JobFilter | undefined {
  const filter: JobFilter = {};
  if (flags.state !== undefined) filter.kinds = kindsOf(flags.state);
  if (flags.queue !== undefined) filter.queues = wordsOf("queue", flags.queue);
  if (flags.tag !== undefined) filter.tags = wordsOf("tag", flags.tag);
  if (flags.search !== undefined) filter.search = searchOf(flags.search);
  if (flags.since !== undefined) filter.createdSince = momentOf("since", flags.since);
  if (flags["older-than"] !== undefined) {
    filter.unchangedSince = momentOf("older-than", flags["older-than"]);
  }
  return Object.keys(filter).length > 0 ? filter : undefined;
}

/** The names of queues, or tags, that were given. Throws `usage` for what can be none. */
export function wordsOf(flag: "queue" | "tag", given: readonly string[]): string[] {
  const found = [...new Set(words(given))];
  for (const word of found) {
    const problem = fieldProblem("queue", word, `Flag --${flag}`);
    if (problem !== undefined) throw new QueuectlError("usage", problem);
  }
  return found;
}

function kindsOf(given: readonly string[]): JobKind[] {
  return words(given).map((word) => {
    if ((kinds as readonly string[]).includes(word)) return word as JobKind;
    throw new QueuectlError(
      "usage",
      `Unknown state "${word}"${didYouMean(word, kinds, synonyms)}. States are: ${
        jobStates.join(", ")
      }; and ${jobViews.join(", ")} for parts of pending and failed`,
    );
  });
}

function searchOf(text: string): string {
  if (text !== "" && text.length <= maxSearchLength) return text;
  throw new QueuectlError("usage", `Flag --search takes 1 to ${maxSearchLength} characters`);
}

function momentOf(flag: string, text: string): Moment {
  const ago = parseDuration(text);
  if (ago !== undefined) return { ago };
  const at = parseMoment(text);
  if (at !== undefined) return { at };
  throw new QueuectlError(
    "usage",
    `Flag --${flag} takes a duration like 2h or 7d, or a time like 2026-11-24T10:00, not "${text}"`,
  );
}

/** Jobs as a command is given them: named, or by a filter; with both or neither it throws `usage`. */
export function selectionOf(ids: readonly string[], flags: FilterFlags): Selection {
  const filter = filterOf(flags);
  if (filter !== undefined && ids.length > 0) {
    throw new QueuectlError("usage", "Give the ids of jobs or a filter, not both");
  }
  if (filter !== undefined) return filter;
  if (ids.length > 0) return [...new Set(ids)];
  throw new QueuectlError(
    "usage",
    "Argument ID is missing; give ids of jobs, or a filter: --state, --queue, --tag, --search, --since, --older-than",
  );
}
