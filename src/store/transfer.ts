/**
 * Moves a whole queue from one store to another. The steps, and where the queue is when the program is killed before
 * the next one:
 *
 * 1. Both queues are locked; all rows are read from the source and written to the target, in one transaction that is not
 *    committed. Killed: nothing has happened.
 * 2. The source is sealed: the name of the move is committed there, every change of the source is refused from now on.
 *    Killed: the queue is in the source; a second move finds the name there and not in the target, forgets it, and begins
 *    anew.
 * 3. The target commits everything, with the name of the move. Killed: the queue is in the target; a second move finds
 *    the name in both, and goes on with step 4.
 * 4. The source is emptied, and forgets the name. Done.
 *
 * So no job can be run from both, whenever it was killed: while the source is not emptied it is sealed.
 */

import { QueuectlError } from "../base/errors.ts";
import { failpoint } from "../base/failpoint.ts";
import { type JobState, jobStates } from "../job/job.ts";
import type { Batch, Move, Moving } from "./transfer_types.ts";
import { aliveIn, beingMoved, hasJobs, movesItself, noMove, runsIn } from "./errors.ts";
import type { RegisteredProcess, Store } from "./store.ts";

/** What was moved. */
export interface Moved {
  counts: Record<JobState, number>;
  /** Everything had been moved before, by a move that was interrupted; only the source was emptied now. */
  resumed: boolean;
}

export interface MoveOptions {
  /** Those of the processes that may still be at work. */
  alive(processes: readonly RegisteredProcess[], store: Store): Promise<RegisteredProcess[]>;
  /** Told after every batch how many jobs, of how many, and how many attempts were written. */
  progress?(jobs: number, of: number, attempts: number): void;
}

/**
 * Moves everything, or finishes a move of the same pair that was interrupted. Throws `conflict` while processes or jobs
 * run, when the target has jobs, or when it is the source.
 */
export async function moveQueue(from: Store, to: Store, options: MoveOptions): Promise<Moved> {
  const [source, target] = [await from.moving(), await to.moving()];
  const [here, there] = [await source.place(), await target.place()];
  if (here.present === there.present) throw movesItself(from.location);
  const begun = await source.begun();
  if (begun) {
    if (await target.hasArrived(begun.id)) {
      const counts = await from.counts();
      await source.empty(begun.id);
      return { counts, resumed: true };
    }
    // The queue may be there, and would be in two places. A place that was made anew is known by its URL.
    if (begun.place !== there.name && begun.location !== to.location) {
      throw beingMoved(from.location, begun.location);
    }
    await source.stay(begun.id);
  }
  const move: Move = { id: crypto.randomUUID(), place: there.name, location: to.location };
  const counts = await transfer(from, source, to, target, move, options);
  await source.empty(move.id);
  return { counts, resumed: false };
}

/**
 * Ends a move whose target is lost for good, and with it what may have arrived there: the queue is used on where it was.
 * Returns where it was to move. Throws `conflict` where no move was begun.
 */
export async function abandonMove(from: Store): Promise<string> {
  const source = await from.moving();
  const begun = await source.begun();
  if (!begun) throw noMove(from.location);
  await source.stay(begun.id);
  return begun.location;
}

/** Throws what a move would be refused for, before a target is made for it. */
export async function checkSource(from: Store, options: MoveOptions): Promise<void> {
  const alive = await options.alive(await from.processes(), from);
  if (alive.length > 0) throw aliveIn(from.location, alive);
  const { processing } = await from.counts();
  if (processing > 0) throw runsIn(from.location, processing);
}

/** Steps 1 to 3. When it throws, the queue is in the source, or nobody knows. */
async function transfer(
  from: Store,
  source: Moving,
  to: Store,
  target: Moving,
  move: Move,
  options: MoveOptions,
): Promise<Record<JobState, number>> {
  let mayBeSealed = false;
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
  try {
    await using departure = await source.depart();
    const alive = await options.alive(departure.processes, from);
    if (alive.length > 0) throw aliveIn(from.location, alive);
    if (departure.processing > 0) throw runsIn(from.location, departure.processing);
    await using arrival = await target.arrive();
    const aliveThere = await options.alive(arrival.processes, to);
    if (aliveThere.length > 0) throw aliveIn(to.location, aliveThere);
    if (arrival.jobs > 0) throw hasJobs(to.location, arrival.jobs);
    failpoint("moving");
    let attempts = 0;
    for await (const batch of departure.batches()) {
      await arrival.add(batch);
      if (batch.table === "jobs") countStates(counts, batch);
      else if (batch.table === "attempts") attempts += batch.rows.length;
      options.progress?.(sum(counts), departure.jobs, attempts);
    }
    await arrival.complete(move.id, departure.rest);
    failpoint("loaded");
    mayBeSealed = true;
    await departure.seal(move);
    failpoint("sealed");
    await arrival.commit();
    failpoint("arrived");
  } catch (error) {
    if (!mayBeSealed) throw error;
    await makeSureOfArrival(source, target, move, error);
  }
  return counts;
}

function countStates(counts: Record<JobState, number>, { rows }: Batch): void {
  for (const { state } of rows) counts[state as JobState]++;
}

/** The number of jobs in all states. */
export const sum = (counts: Record<JobState, number>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/**
 * After a failure of the last steps: nothing when the queue has arrived all the same. Where it has not, the source is used
 * on, and the failure is thrown, with what that means.
 */
async function makeSureOfArrival(
  source: Moving,
  target: Moving,
  move: Move,
  failure: unknown,
): Promise<void> {
  const explained = (consequence: string) =>
    failure instanceof QueuectlError
      ? new QueuectlError(failure.code, `${failure.message}; ${consequence}`, { cause: failure })
      : failure;
  try {
    if (await target.hasArrived(move.id)) return;
    await source.stay(move.id);
  } catch (error) {
    if (!(error instanceof QueuectlError)) throw error;
    throw explained("to finish the move, run the same command again");
  }
  throw explained("nothing was moved, run the same command again");
}
