/** Following one job live, through all its attempts. */

import { QueuectlError } from "../../base/errors.ts";
import type { Attempt } from "../../job/job.ts";
import type { JobProgress } from "../../store/progress.ts";
import type { OutputStream, Store } from "../../store/store.ts";
import type { OutputReader } from "../../worker/spool/output_readers.ts";
import type { Changes } from "./changes.ts";
import { surroundingJob } from "./obstacles.ts";
import { lastLines } from "./printed_text.ts";
import { createRunReader, type Piece, type RunReader } from "./run_reader.ts";
import { ownSlotWords, whyItWaits } from "./describe_waiting.ts";
import { endWords, failureWords, hasEnded, leftOutOf } from "./describe_end.ts";

/** Milliseconds between two looks at the files of a run. */
const lookInterval = 100;
/** Milliseconds that a job may wait for a worker before it is said. */
const patience = 1000;

/** Where it goes. */
export interface Sink {
  write(stream: OutputStream, text: string): Promise<void>;
  /** What is written next is of this run, which is that attempt. */
  begins?(run: number, attempt: number): void;
  /** Prints what is kept of lines without an end. */
  flush?(): Promise<void>;
  /** A message to the person, not part of the output. */
  say(message: string): void;
}

export interface FollowOptions {
  /** Only so many lines of what there is at the beginning. */
  lines?: number;
  /** Only this run. */
  only?: number;
  /** Nothing is said of an attempt that completed. */
  quiet?: boolean;
  signal?: AbortSignal;
  /** Who reads, for the workers of this host. */
  output?: OutputReader;
}

/**
 * Prints what a job has printed in its newest run, and what it prints from then on, until it has ended for good; gives
 * how far it is then, and how many bytes had to be left out. Throws `not_found` when it is removed meanwhile.
 */
export async function followJob(
  store: Store,
  changes: Changes,
  found: JobProgress,
  sink: Sink,
  { lines, only, quiet, signal, output }: FollowOptions = {},
): Promise<JobProgress & { leftOut: number }> {
  const { seq, id } = found;
  let job = found;
  let reader: RunReader | undefined;
  /** The newest run of which all has been printed. */
  let shown = Math.max(0, (only ?? found.run) - 1);
  /** Nothing has been printed yet: what there is now is not new. */
  let isFirst = true;
  /** Whether it was said of an attempt that the job was cancelled. */
  let isCancelTold = false;
  const waiting = { since: performance.now(), told: false };

  /** What is printed of the beginning, where only its last lines are. */
  const first = lines === undefined ? undefined : { out: "", err: "" };
  /** Bytes that were left out: of the present run before what is printed, and in all. */
  let before = { out: 0, err: 0 };
  let leftOut = 0;

  async function take({ stream, text }: Piece): Promise<void> {
    if (isFirst && first) first[stream] = lastLines(first[stream] + text, lines!);
    else if (text !== "") await sink.write(stream, text);
  }

  async function endFirst(reader: RunReader): Promise<void> {
    if (!isFirst) return;
    isFirst = false;
    if (!first) return;
    before = reader.leftOut();
    for (const stream of ["out", "err"] as const) await take({ stream, text: first[stream] });
  }

  /** Prints what is new of a run; true when its end was recorded. */
  async function readNew(reader: RunReader, asking: boolean): Promise<boolean> {
    let gone = false;
    for (let more = true; more && !signal?.aborted;) {
      const look = await reader.look(asking);
      ({ more, gone } = look);
      for (const piece of look.pieces) await take(piece);
    }
    await endFirst(reader);
    return gone;
  }

  async function showEnd(attempt: Attempt): Promise<void> {
    sink.begins?.(attempt.run, attempt.number);
    if (reader?.run !== attempt.run) {
      if (!isFirst) sink.say(`Attempt ${attempt.number} of job ${id} begins`);
      reader = createRunReader(store, seq, attempt.run, output);
    }
    for await (const piece of reader.rest(attempt)) await take(piece);
    await endFirst(reader);
    await sink.flush?.();
    const { words, bytes } = leftOutOf(id, attempt, reader.leftOut(), before);
    leftOut += bytes;
    for (const line of words) sink.say(line);
    before = { out: 0, err: 0 };
    reader = undefined;
    shown = attempt.run;
    waiting.since = performance.now();
    waiting.told = false;
    isCancelTold = attempt.outcome === "cancelled";
    if (!quiet || attempt.exitCode !== 0) sink.say(endWords(id, attempt));
  }

  /** Says once why a job waits: at once where it may take long, else when it does. */
  async function sayWhyItWaits(): Promise<void> {
    if (waiting.told) return;
    const processes = await store.processes();
    const detail = await store.detail(id);
    const why = whyItWaits(detail, processes, await store.queues());
    if (!why) return;
    // A free worker, and the turn of a rate, mostly come at once.
    const isShort = !why.noWorker && (why.for === "worker" || why.for === "queue" && why.dueIn !== null);
    if (isShort && performance.now() < waiting.since + patience) return;
    waiting.told = true;
    sink.say(`Job ${id} ${why.text}`);
    const own = ownSlotWords(why, detail, surroundingJob(), processes);
    if (own !== null) sink.say(own);
  }

  /** Asks the store how far the job is; true when there is nothing more to come. */
  async function look(): Promise<boolean> {
    const [now] = await store.progress([seq]);
    if (!now) throw new QueuectlError("not_found", `Job ${id} was removed`);
    job = now;
    while (shown < Math.min(job.run, only ?? Infinity) && !signal?.aborted) {
      const attempt = await store.runAfter(seq, shown);
      if (!attempt) break;
      await showEnd(attempt);
    }
    if (only !== undefined && shown >= only) return true;
    if (hasEnded(job.state)) {
      if (job.state === "cancelled" && !isCancelTold) sink.say(failureWords(await store.detail(id)));
      return true;
    }
    if (job.state !== "processing" || job.run <= shown) await sayWhyItWaits();
    else if (reader?.run !== job.run) {
      if (shown > 0 && !isFirst || waiting.told) sink.say(`Attempt ${job.attempts} of job ${id} begins`);
      reader = createRunReader(store, seq, job.run, output);
      sink.begins?.(job.run, job.attempts);
    }
    return false;
  }

  for (let stale = true; !signal?.aborted;) {
    if (stale && await look()) break;
    const gone = reader !== undefined && await readNew(reader, stale);
    isFirst = false;
    if (gone) {
      stale = true;
      continue;
    }
    const pause = reader ? lookInterval : waiting.told ? Infinity : patience;
    const changed = signal?.aborted || await changes.next(pause);
    stale = changed || !reader;
  }
  await sink.flush?.();
  return { ...job, leftOut };
}
