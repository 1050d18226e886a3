/**
 * Following all jobs at once: those that run, and each that is started from then on, also one that is over before anybody
 * has looked. Such a run belongs to a job that is new, that ran before, or that was among the next ones at the last look.
 */

import type { JobProgress } from "../../store/progress.ts";
import type { OutputStream, Store } from "../../store/store.ts";
import type { OutputReader } from "../../worker/spool/output_readers.ts";
import type { Changes } from "./changes.ts";
import type { LineSink } from "./job_lines.ts";
import { lastLines } from "./printed_text.ts";
import { createRunReader, type RunReader } from "./run_reader.ts";
import { endWords, leftOutOf } from "./describe_end.ts";

/** Milliseconds between two looks at the files of up to so many runs; with more of them the pauses are longer. */
const [lookInterval, runsPerLook] = [100, 200];
/** How many of the next jobs are remembered: far more than are started between two looks. */
const nextLimit = 3000;
/** How many runs that have ended are remembered. */
const remembered = 10_000;

interface FollowedRun {
  id: string;
  reader: RunReader;
  sink: LineSink;
  /** Bytes that were left out of what is not printed. */
  before: Record<OutputStream, number>;
}

/** How the lines of jobs are printed, and what is said beside them. */
export interface AllSinks {
  sinkOf(id: string): LineSink;
  say(message: string): Promise<void>;
}

/** What is followed, and from where on. */
export interface Followed {
  /** Of the runs that go on already only so many lines are printed first. */
  lines: number;
  /** The jobs of these queues alone. */
  queues?: readonly string[];
  /** From the first run on that there was, as one of those that are started later. */
  fromStart?: boolean;
  /** Called once nothing is missed any more. */
  begun?(): Promise<void>;
  /** Who reads, for the workers of this host. */
  output?: OutputReader;
}

/** Prints what all jobs print, or those of some queues, for ever. */
export async function followAll(
  store: Store,
  changes: Changes,
  { sinkOf, say }: AllSinks,
  { lines, queues, fromStart = false, begun, output }: Followed,
): Promise<never> {
  const followed = new Map<string, FollowedRun>();
  /** The newest runs of which all was printed, oldest first. */
  const done = new Set<string>();
  /** The jobs that ran or came next at the last look, with the number of their newest run, and the newest job. */
  let expected = new Map<number, number>();
  let last = 0;

  function follow({ seq, id, queue, attempts }: JobProgress, run: number): void {
    if (queues?.includes(queue) === false) return;
    const key = `${seq}.${run}`;
    if (run === 0 || followed.has(key) || done.has(key)) return;
    const sink = sinkOf(id);
    // Where it is an earlier run, all of it is read when its end is, which has the number of its attempt.
    sink.begins?.(run, attempts);
    const reader = createRunReader(store, seq, run, output);
    followed.set(key, { id, reader, sink, before: { out: 0, err: 0 } });
  }

  /** Finds the runs that were started since the last look, and ends following those that have ended. */
  async function look(): Promise<void> {
    // First what comes next, then what became of it: so nothing gets lost between the two.
    const now = await store.upcoming(nextLimit);
    const changed = await store.progress([...expected.keys()]);
    const fresh = await store.ranAfter(last);
    for (const job of now.running) follow(job, job.run);
    for (const job of changed) {
      for (let run = expected.get(job.seq)! + 1; run <= job.run; run++) follow(job, run);
    }
    for (const job of fresh) for (let run = 1; run <= job.run; run++) follow(job, run);
    last = now.last;
    expected = new Map([...now.next, ...now.running].map(({ seq, run }) => [seq, run]));
    const going = new Set(now.running.map(({ seq, run }) => `${seq}.${run}`));
    for (const [key, run] of followed) if (!going.has(key) && await finish(run)) forget(key);
  }

  function forget(key: string): void {
    followed.delete(key);
    done.add(key);
    if (done.size > remembered) done.delete(done.values().next().value!);
  }

  /** Prints what is left of a run that has ended; false for one that goes on. */
  async function finish({ reader, sink, id, before }: FollowedRun): Promise<boolean> {
    const ended = await store.runAfter(reader.seq, reader.run - 1);
    if (ended?.run !== reader.run) {
      // It goes on, or its job was removed.
      return (await store.progress([reader.seq])).every((job) => job.run !== reader.run);
    }
    sink.begins?.(ended.run, ended.number);
    for await (const { stream, text } of reader.rest(ended)) await sink.write(stream, text);
    await sink.flush();
    for (const line of leftOutOf(id, ended, reader.leftOut(), before).words) await say(line);
    if (ended.exitCode !== 0) await say(endWords(id, ended));
    return true;
  }

  async function readFirst(run: FollowedRun): Promise<void> {
    const { reader, sink } = run;
    const texts = { out: "", err: "" };
    for (let more = true; more;) {
      const look = await reader.look(true);
      for (const { stream, text } of look.pieces) texts[stream] = lastLines(texts[stream] + text, lines);
      more = look.more;
    }
    run.before = reader.leftOut();
    for (const stream of ["out", "err"] as const) await sink.write(stream, texts[stream]);
  }

  /** True when the end of the run was recorded. */
  async function readNew({ reader, sink }: FollowedRun, asking: boolean): Promise<boolean> {
    for (;;) {
      const { pieces, more, gone } = await reader.look(asking);
      for (const { stream, text } of pieces) await sink.write(stream, text);
      if (!more) return gone;
    }
  }

  const start = fromStart ? undefined : await store.upcoming(nextLimit);
  if (start) {
    last = start.last;
    expected = new Map([...start.next, ...start.running].map(({ seq, run }) => [seq, run]));
  }
  await begun?.();
  for (const job of start?.running ?? []) follow(job, job.run);
  for (const run of followed.values()) await readFirst(run);
  for (let stale = true;;) {
    if (stale) await look();
    for (const [key, run] of followed) {
      if (await readNew(run, stale) && await finish(run)) forget(key);
      else await run.sink.printOpen();
    }
    const pause = followed.size === 0 ? Infinity : lookInterval * Math.max(1, followed.size / runsPerLook);
    stale = await changes.next(pause);
  }
}
