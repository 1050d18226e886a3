/** Why an operation is refused, in the same words whichever engine is under the store. */

import { QueuectlError } from "../errors.ts";
import type { JobState } from "../job/job.ts";

/** The ids are taken. */
export function idsExist(ids: readonly string[]): QueuectlError {
  const named = ids.slice(0, 5).map((id) => `"${id}"`).join(", ") + (ids.length > 5 ? ", …" : "");
  return new QueuectlError(
    "conflict",
    ids.length === 1
      ? `A job with id ${named} exists already; nothing was stored`
      : `Jobs with ids ${named} exist already; nothing was stored`,
  );
}

/** The id was added to the same intake before. */
export const addedTwice = (id: string) => new QueuectlError("conflict", `The id "${id}" is there twice`);

export const noJob = (id: string) => new QueuectlError("not_found", `No job found with id ${id}`);

export const noDeadJob = (id: string) => new QueuectlError("not_found", `No DLQ job found with id ${id}`);

/** Several jobs have ids with this prefix. */
export const severalJobs = (prefix: string, first: string, second: string) =>
  new QueuectlError(
    "usage",
    `Several jobs have ids that begin with "${prefix}": ${first}, ${second}, …; give more of the id`,
  );

export const notCancellable = (id: string, state: JobState) =>
  new QueuectlError(
    "conflict",
    `Job "${id}" cannot be cancelled: its state is ${state}, only jobs that wait or run can be cancelled`,
  );

export const notDead = (id: string, state: JobState, verb: "retried" | "purged") =>
  new QueuectlError(
    "conflict",
    `Job "${id}" cannot be ${verb}: its state is ${state}, only dead jobs can be ${verb}`,
  );
