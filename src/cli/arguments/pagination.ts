/** Which jobs a list shows: how many, in which order, page by page; and reading them without ever holding all. */

import { QueuectlError } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import {
  type JobFilter,
  type ListedJob,
  type Position,
  positionOf,
  type Sort,
  type SortField,
  sortFields,
} from "../../store/job_filter.ts";
import type { Store } from "../../store/store.ts";
import { limit as limitOf } from "./flag_values.ts";

/** What is given to the flags. */
export interface PageFlags {
  readonly limit?: string;
  readonly all?: boolean;
  readonly sort?: string;
  readonly cursor?: string;
  readonly "with-cursor"?: boolean;
  readonly json?: boolean;
}

/** Which part of a filter's jobs is shown, and in which order; without `sort` the newest, the newest last. */
export interface Page {
  limit: number;
  sort?: Sort;
  after?: Position;
  /** The cursor of the next page is printed with the jobs. */
  withCursor?: true;
}

/** What a page has. */
export interface PageOfJobs {
  /** The jobs as they are asked for; null when there are none. */
  jobs: AsyncIterable<ListedJob> | null;
  /** The cursor of the next page; null where there are no more jobs. */
  next: string | null;
  /** What is to be said behind them where there are more. */
  more: string | undefined;
}

/** A list of as many jobs, and no more, is read as a whole. */
const wholeLimit = 1000;
/** Jobs of a longer one that are read at once. */
const jobsAtOnce = 250;

/** Reads the flags. Throws `usage`. */
export function pageOf(flags: PageFlags): Page {
  if (flags.all && (flags.limit !== undefined || flags.cursor !== undefined)) {
    throw new QueuectlError(
      "usage",
      "Flag --all shows all jobs: it cannot be given with --limit or --cursor",
    );
  }
  const page: Page = { limit: flags.all ? Infinity : limitOf(flags.limit) };
  if (flags["with-cursor"]) {
    if (!flags.json) throw new QueuectlError("usage", "Flag --with-cursor goes with --json");
    page.withCursor = true;
  }
  if (flags.sort !== undefined) page.sort = sortOf(flags.sort);
  if (flags.cursor === undefined) return page;
  const { sort, after } = readCursor(flags.cursor);
  if (page.sort !== undefined && (sort?.by !== page.sort.by || sort.descending !== page.sort.descending)) {
    throw new QueuectlError("usage", "The cursor is that of a list in another order; leave out --sort");
  }
  return { ...page, sort, after };
}

const synonyms: Record<string, SortField> = { created_at: "created", updated_at: "updated" };

function sortOf(text: string): Sort {
  // As git has it, "-FIELD" is the same as "FIELD,desc".
  const isNegated = text.startsWith("-");
  const [word, direction, ...rest] = text.slice(isNegated ? 1 : 0).split(",").map((part) => part.trim());
  const by = sortFields.find((field) => field === (synonyms[word] ?? word));
  if (by === undefined) {
    throw new QueuectlError(
      "usage",
      `Jobs cannot be sorted by "${word}"${didYouMean(word, sortFields)}, only by: ${sortFields.join(", ")}`,
    );
  }
  if (
    rest.length > 0 || isNegated && direction !== undefined || !["asc", "desc", undefined].includes(direction)
  ) {
    throw new QueuectlError("usage", `Flag --sort takes FIELD, or FIELD,desc, not "${text}"`);
  }
  return { by, descending: isNegated || direction === "desc" };
}

/** The place of a job as a word: a number in the order of age, else JSON in base 64. */
export function cursorOf({ value, seq }: Position, sort: Sort | undefined): string {
  if (sort === undefined) return String(seq);
  const json = JSON.stringify([sort.by, sort.descending, value, seq]);
  const ascii = json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return btoa(ascii).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function readCursor(text: string): { sort?: Sort; after: Position } {
  if (/^\d{1,15}$/.test(text)) return { after: { value: Number(text), seq: Number(text) } };
  try {
    const [by, descending, value, seq] = JSON.parse(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
    const isRight = sortFields.includes(by) && typeof descending === "boolean" && Number.isSafeInteger(seq) &&
      (by === "id" || by === "state" ? typeof value === "string" : Number.isSafeInteger(value));
    if (isRight) return { sort: { by, descending }, after: { value, seq } };
  } catch (error) {
    // Neither JSON nor base 64, or no array.
    if (!(error instanceof SyntaxError || error instanceof DOMException || error instanceof TypeError)) {
      throw error;
    }
  }
  throw new QueuectlError(
    "usage",
    `There is no such cursor: "${text}"; a list with more jobs names the next one`,
  );
}

/** Reads a page, with what is to be said behind it when there are more jobs, unless that is printed with them. */
export async function jobsOf(
  store: Store,
  filter: JobFilter,
  page: Page,
): Promise<PageOfJobs> {
  const { limit, sort, after } = page;
  if (limit <= wholeLimit) {
    const jobs = await store.list({ ...filter, sort, after, limit: limit + 1 });
    const rest = jobs.length > limit ? (sort ? jobs.pop() : jobs.shift()) : undefined;
    const next = rest && cursorOf(positionOf(sort ? jobs.at(-1)! : jobs[0], sort?.by ?? "created"), sort);
    const more = next === undefined ? undefined : moreWords(page, next);
    return { jobs: jobs.length > 0 ? asyncOf(jobs) : null, next: next ?? null, more };
  }
  const { keys, end } = await store.pageOfKeys({ ...filter, sort, after, limit });
  const next = end && cursorOf(end, sort);
  const more = next === null ? undefined : moreWords(page, next);
  return { jobs: keys.length > 0 ? inParts(store, filter, keys, sort) : null, next, more };
}

function moreWords({ limit, sort, after, withCursor }: Page, next: string): string | undefined {
  if (withCursor) return undefined;
  const which = after ? "next" : sort ? "first" : "newest";
  const jobs = limit === 1 ? "job" : `${limit} jobs`;
  return `Showing the ${which} ${jobs}; use --limit to see more. Next page: --cursor ${next}`;
}

async function* asyncOf(jobs: ListedJob[]): AsyncGenerator<ListedJob> {
  yield* jobs;
}

/**
 * Jobs by their keys; those that are gone meanwhile, or of another kind, are left out. What was young enough when the keys
 * were read is not asked for its age again: while it is printed it grows older.
 */
async function* inParts(
  store: Store,
  filter: JobFilter,
  keys: readonly number[],
  sort: Sort | undefined,
): AsyncGenerator<ListedJob> {
  for (let start = 0; start < keys.length; start += jobsAtOnce) {
    const part = keys.slice(start, start + jobsAtOnce);
    yield* await store.list({ ...filter, createdSince: undefined, keys: part, sort, limit: part.length });
  }
}
