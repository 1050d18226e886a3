/** Why an operation is refused, in the same words whichever engine is under the store. */

import { QueuectlError } from "../base/errors.ts";
import { didYouMean } from "../base/nearest.ts";
import { defaultQueueName, type JobState, jobStates } from "../job/job.ts";
import { allQueues } from "./queues.ts";
import { damaged } from "./columns.ts";
import type { RegisteredProcess } from "./registration.ts";
import { typedCommand } from "./typed_command.ts";

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

/** Another job that has not ended has the unique key of a new one. */
export const keyTaken = (key: string, { id, state }: Pick<FoundJob, "id" | "state">) =>
  new QueuectlError(
    "conflict",
    state === "processing"
      ? `Job "${id}" with the unique key "${key}" runs already; nothing was stored`
      : `Job "${id}" with the unique key "${key}" waits already (state ${state}); nothing was stored`,
  );

/** Two new jobs have one unique key. */
export const keyTwice = (key: string, first: string, second: string) =>
  new QueuectlError(
    "conflict",
    `Jobs "${first}" and "${second}" have the same unique key "${key}"; nothing was stored`,
  );

/** A job would have to wait again while another one with its unique key has not ended. */
export function keyHeld(
  key: string,
  id: string,
  other: Pick<FoundJob, "id" | "state"> | string,
): QueuectlError {
  return new QueuectlError(
    "conflict",
    typeof other === "string"
      ? `Jobs "${id}" and "${other}" cannot both be in the queue: they have the same unique key "${key}"`
      : `Job "${id}" cannot go back into the queue: "${other.id}" has the same unique key "${key}", and its state is ` +
        other.state,
  );
}

/** The last error of a job that could have come back, if another one had not its unique key. */
export const keyIsWith = (id: string, key: string) => `Job "${id}" has the same unique key "${key}"`;

/** The last error of a job whose place a new one has taken. */
export const replacedBy = (id: string) => `Replaced by job "${id}"`;

/** The states in which no other job may have the same unique key, as a list of SQL literals. */
export const activeStates = "'pending', 'processing', 'failed'";

/** No job has this id; `near` is one that was perhaps meant. */
export const noJob = (id: string, near?: string) =>
  new QueuectlError("not_found", `No job found with id ${id}${perhaps(near)}`);

const noDeadJob = (id: string, near?: string) =>
  new QueuectlError("not_found", `No DLQ job found with id ${id}${perhaps(near)}`);

const perhaps = (near: string | undefined) => near === undefined ? "" : ` (did you mean "${near}"?)`;

/** Several jobs have ids with this prefix; `ids` are the first of them, three where there are as many. */
export const severalJobs = (prefix: string, ids: readonly string[]) =>
  new QueuectlError(
    "usage",
    `Several jobs have ids that begin with "${prefix}": ${ids.slice(0, 2).join(", ")}${
      ids.length > 2 ? ", …" : ""
    }; give more of the id`,
  );

/** A job is to wait for one that is not there. An id that was made for it is not named: nobody knows it. */
export const noParent = (child: string) => (id: string, near?: string) => {
  const waiting = isMadeId(child) ? "the job" : `job "${child}"`;
  return new QueuectlError(
    "not_found",
    `No job found with id ${id}${perhaps(near)}, for which ${waiting} is to wait; nothing was stored`,
  );
};

/** Whether this looks like an id of a job that came without one: UUIDv7. */
const isMadeId = (id: string) =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id);

/** The error, which says now which new job it is about. */
export function aboutNewJob(error: unknown, id: string): unknown {
  if (error instanceof QueuectlError) error.newJob = id;
  return error;
}

/** New jobs wait for one another; the first of them is the last one too. */
export const waitsForItself = (circle: readonly string[]) =>
  new QueuectlError(
    "usage",
    circle.length === 2
      ? `Job "${circle[0]}" cannot wait for itself; nothing was stored`
      : `Jobs cannot wait for one another in a circle: ${
        circle.slice(0, 8).map((id) => `"${id}"`).join(" after ")
      }${circle.length > 8 ? " …" : ""}; nothing was stored`,
  );

/** A job cannot run before what it waits for is completed. */
export const parentFailed = (child: string, parent: string, state: JobState) =>
  new QueuectlError(
    "conflict",
    `Job "${child}" cannot be retried: job "${parent}" that it waits for is ${state}; retry that one first`,
  );

/** The last error of a job that was cancelled because of another one. */
export const parentIs = (parent: string, state: JobState | "removed") =>
  `Job "${parent}" that it waits for ${state === "removed" ? "was removed" : `is ${state}`}`;

/** Whether this is the last error of a job that was cancelled because of another one. */
export const isBecauseOfParent = (error: string): boolean => /^Job ".*" that it waits for /s.test(error);

/** A job as far as it has to be known before it is changed. */
export interface FoundJob {
  seq: number;
  id: string;
  state: JobState;
  queue: string;
}

/** What an operation is about: the states of its jobs, and the words for all others. */
export interface Scope {
  states: readonly JobState[];
  missing(id: string, near?: string): QueuectlError;
  /** At least one job, of other states. */
  refused(jobs: readonly FoundJob[]): QueuectlError;
}

const scope = (verb: string, states: readonly JobState[], only: string, missing = noJob): Scope => ({
  states,
  missing,
  refused(jobs) {
    const [{ id, state }] = jobs;
    const can = `${only} can be ${verb}`;
    if (jobs.length === 1) {
      return new QueuectlError("conflict", `Job "${id}" cannot be ${verb}: its state is ${state}, ${can}`);
    }
    const named = jobs.slice(0, 5).map(({ id, state }) => `"${id}" is ${state}`).join(", ");
    const more = jobs.length > 5 ? ", …" : "";
    return new QueuectlError("conflict", `${jobs.length} jobs cannot be ${verb}: ${named}${more}; ${can}`);
  },
});

const standing = jobStates.filter((state) => state !== "processing");

/** The operations that change jobs. */
export const scopes = {
  cancel: scope("cancelled", ["pending", "failed", "processing"], "only waiting and running jobs"),
  retry: scope(
    "retried",
    ["completed", "failed", "dead", "cancelled"],
    "only completed, failed, dead and cancelled jobs",
  ),
  remove: scope("removed", standing, 'only jobs that are not running (end them with "queuectl cancel")'),
  edit: scope("edited", standing, "only jobs that are not running"),
  reschedule: scope("rescheduled", ["pending", "failed"], "only waiting jobs"),
  move: scope("moved", standing, "only jobs that are not running"),
  hold: scope("held", ["pending", "failed"], "only waiting jobs"),
  release: scope("released", ["pending", "failed"], "only held jobs"),
  signal: scope("signalled", ["processing"], "only running jobs"),
  dlqRetry: scope("retried", ["dead"], "only dead jobs", noDeadJob),
  dlqPurge: scope("purged", ["dead"], "only dead jobs", noDeadJob),
} as const;

/** No queue has this name; `known` are all there are. Those that are always there can only be missing by damage. */
export function noQueue(name: string, known: readonly string[]): QueuectlError {
  if ([allQueues, defaultQueueName].includes(name) && !known.includes(name)) return damaged("name");
  return new QueuectlError(
    "not_found",
    `There is no queue "${name}"${didYouMean(name, known.filter((other) => other !== allQueues))}`,
  );
}

export const queueHasJobs = (name: string, jobs: number) =>
  new QueuectlError(
    "conflict",
    `Queue "${name}" cannot be removed: it has ${jobs === 1 ? "1 job" : `${jobs} jobs`}; ` +
      "move or remove them first",
  );

export const queueStays = (name: string) =>
  new QueuectlError("conflict", `Queue "${name}" cannot be removed: jobs that name no queue are in it`);

/** Jobs that wait, but are not held. */
export function notHeld(jobs: readonly FoundJob[]): QueuectlError {
  const named = jobs.slice(0, 5).map(({ id }) => `"${id}"`).join(", ") + (jobs.length > 5 ? ", …" : "");
  return new QueuectlError(
    "conflict",
    jobs.length === 1
      ? `Job ${named} cannot be released: it is not held`
      : `${jobs.length} jobs cannot be released: ${named} are not held`,
  );
}

/** Every change is refused while a move is not ended. */
export const beingMoved = (from: string, to: string) =>
  new QueuectlError(
    "conflict",
    `The queue in ${from} is being moved to ${to}; if that was interrupted, finish it: ` +
      typedCommand(["migrate", "--from", from, "--to", to]),
  );

export const noMove = (location: string) =>
  new QueuectlError("conflict", `No move of the queue in ${location} was interrupted: it is used as it is`);

export const movesItself = (location: string) =>
  new QueuectlError("conflict", `Both are the same queue: ${location}; give another place to move it to`);

/** Processes are at work on the queue. */
export function aliveIn(location: string, processes: readonly RegisteredProcess[]): QueuectlError {
  const { identity } = processes[0];
  const which = `${identity.host.split("/")[0]}, pid ${identity.pid}${processes.length > 1 ? ", …" : ""}`;
  return new QueuectlError(
    "conflict",
    `${processes.length === 1 ? "A manager or worker is" : `${processes.length} managers and workers are`} ` +
      `at work on the queue in ${location} (${which}); stop them first: ${
        typedCommand(["worker", "stop", "--db", location])
      }`,
  );
}

/** Processes of this host that were asked to stop, and neither end nor renew their leases. */
export function notEnded(processes: readonly RegisteredProcess[]): QueuectlError {
  const pids = processes.map(({ identity }) => identity.pid);
  const [who, its, hang] = pids.length === 1
    ? ["A manager or worker has", "its lease", "it hangs, end it"]
    : [`${pids.length} managers and workers have`, "their leases", "they hang, end them"];
  return new QueuectlError(
    "conflict",
    `${who} not ended (pid ${pids.join(", ")}), nor renewed ${its}; if ${hang} with kill -9 ${
      pids.join(" ")
    } ` +
      "(commands keep running and are adopted). In a copied queue it may be the original's",
  );
}

/** Jobs are processing although nobody is there who would record how they end. */
export const runsIn = (location: string, jobs: number) =>
  new QueuectlError(
    "conflict",
    `${
      jobs === 1 ? "1 job" : `${jobs} jobs`
    } of the queue in ${location} may still run; have that recorded first, ` +
      `then stop: ${typedCommand(["worker", "start", "--db", location])}`,
  );

export const hasJobs = (location: string, jobs: number) =>
  new QueuectlError(
    "conflict",
    `The queue in ${location} has ${jobs === 1 ? "1 job" : `${jobs} jobs`} already; ` +
      "a queue moves only to where there is none: give another file, database or schema",
  );

/** Somebody has removed or replaced the file of a database while it was used. */
export const noLongerInPlace = (location: string) =>
  new QueuectlError("database", `The database ${location} was removed, or another file is in its place`);

/** A queue on a server in which others than its user own something or have made something: `parts`, in words. */
export class SharedDatabaseError extends QueuectlError {
  constructor(location: string, schema: string, readonly parts: readonly string[]) {
    const more = parts.length > 1 ? ` (and ${parts.length - 1} more: see queuectl doctor)` : "";
    super(
      "database",
      `The schema "${schema}" of the database ${location} can be changed by other users, who could have commands run ` +
        `as you: ${parts[0]}${more}; ${sharedDatabaseAdvice}`,
    );
  }
}

export const sharedDatabaseAdvice =
  "have its owner take that away, name another schema (schema=NAME in the URL), or use it all the same with " +
  "--allow-shared-db";

/** A schema with another number than this program has: a newer one, or one from before its first release. */
export const otherSchema = (location: string, version: number, known: number): QueuectlError =>
  version > known
    ? new QueuectlError(
      "newer_schema",
      `The database ${location} has schema ${version}, this queuectl knows up to ${known}; use a newer queuectl`,
    )
    : new QueuectlError(
      "database",
      `The database ${location} has schema ${version}, from before the first release; this queuectl knows ` +
        `${known}; finish its jobs with the queuectl that made it`,
    );
