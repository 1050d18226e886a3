/** Following all jobs at once: those that run, and each that is started from then on. */

import { statIfThere } from "../../files.ts";
import type { JobProgress } from "../../store/progress.ts";
import type { Store } from "../../store/store.ts";
import type { Changes } from "./changes.ts";
import { lastLines } from "./printed_text.ts";
import { createRunReader, type RunReader } from "./run_reader.ts";
import type { LineSink } from "./sinks.ts";
import { endWords } from "./words.ts";

/** Milliseconds between two looks at the files of up to so many runs; with more of them the pauses are longer. */
const [lookInterval, runsPerLook] = [100, 200];
/** Milliseconds between two looks for the folder that is to be watched. */
const folderInterval = 1000;
/** How many runs that have ended are remembered: their start may be told afterwards. */
const remembered = 10_000;

interface FollowedRun {
  id: string;
  reader: RunReader;
  sink: LineSink;
}

/** How the lines of jobs are printed, and what is said beside them. */
export interface AllSinks {
  sinkOf(id: string): LineSink;
  say(message: string): void;
}

/** Prints what all jobs print, for ever; of those that run already only the last `lines` lines first. */
export async function followAll(
  store: Store,
  changes: Changes,
  { sinkOf, say }: AllSinks,
  lines: number,
): Promise<never> {
  const followed = new Map<string, FollowedRun>();
  /** The newest runs of which all was printed, oldest first. */
  const done = new Set<string>();
  using started = startsIn(store.spool, changes.hurry);

  function follow({ seq, run, id }: Pick<JobProgress, "seq" | "run" | "id">): FollowedRun {
    const known = followed.get(`${seq}.${run}`);
    if (known) return known;
    const added = { id, reader: createRunReader(store, seq, run), sink: sinkOf(id) };
    followed.set(`${seq}.${run}`, added);
    return added;
  }

  async function readNew({ reader, sink }: FollowedRun, asking: boolean): Promise<boolean> {
    for (;;) {
      const { pieces, more, gone } = await reader.look(asking);
      for (const { stream, text } of pieces) await sink.write(stream, text);
      if (!more) return gone;
    }
  }

  async function readFirst({ reader, sink }: FollowedRun): Promise<void> {
    const texts = { out: "", err: "" };
    for (let more = true; more;) {
      const look = await reader.look(true);
      for (const { stream, text } of look.pieces) texts[stream] = lastLines(texts[stream] + text, lines);
      more = look.more;
    }
    for (const stream of ["out", "err"] as const) await sink.write(stream, texts[stream]);
  }

  /** Prints what is left of a run that has ended; false for one that goes on. */
  async function finish(run: FollowedRun): Promise<boolean> {
    const { reader, sink, id } = run;
    const ended = await store.runAfter(reader.seq, reader.run - 1);
    if (ended && ended.run !== reader.run) return true;
    if (!ended) return (await store.progress([reader.seq])).every((job) => job.run !== reader.run);
    for (const { stream, text } of reader.rest(ended)) await sink.write(stream, text);
    await sink.flush();
    if (ended.exitCode !== 0) say(endWords(id, ended));
    return true;
  }

  /** Finds the runs that were started, and ends following those that have ended. */
  async function look(): Promise<void> {
    const running = await store.running();
    const going = new Set(running.map(({ seq, run }) => `${seq}.${run}`));
    running.forEach(follow);
    for (const [key, run] of followed) if (!going.has(key) && await finish(run)) forget(key);
  }

  function forget(key: string): void {
    followed.delete(key);
    done.add(key);
    if (done.size > remembered) done.delete(done.values().next().value!);
  }

  /** A run that is over before anybody has looked has left its start in the spool of this host. */
  async function lookAtStarts(): Promise<void> {
    const isKnown = (key: string) => followed.has(key) || done.has(key);
    const runs = started.take().filter(({ seq, run }) => !isKnown(`${seq}.${run}`));
    if (runs.length === 0) return;
    const jobs = new Map((await store.progress(runs.map(({ seq }) => seq))).map((job) => [job.seq, job]));
    for (const { seq, run } of runs) {
      const job = jobs.get(seq);
      if (job) follow({ seq, run, id: job.id });
    }
  }

  (await store.running()).forEach(follow);
  for (const run of followed.values()) await readFirst(run);
  for (let stale = true;;) {
    await lookAtStarts();
    if (stale) await look();
    stale = started.lookForFolder();
    for (const run of followed.values()) if (await readNew(run, stale)) stale = true;
    if (stale) continue;
    const busyPause = lookInterval * Math.max(1, followed.size / runsPerLook);
    const idlePause = started.isWatching() ? Infinity : folderInterval;
    stale = await changes.next(followed.size > 0 ? busyPause : idlePause) || started.some();
  }
}

/** Runs whose files were made in a folder, since it was asked last. */
function startsIn(folder: string, wake: () => void) {
  let runs: Array<{ seq: number; run: number }> = [];
  let watcher: Deno.FsWatcher | undefined;

  async function pass(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of watcher) {
      if (kind !== "create") continue;
      for (const path of paths) {
        const name = /(\d+)\.(\d+)\.out$/.exec(path);
        if (name) runs.push({ seq: Number(name[1]), run: Number(name[2]) });
      }
      if (runs.length > 0) wake();
    }
  }

  /** Begins to watch once the folder is there; true where that was just now. */
  function lookForFolder(): boolean {
    if (watcher || !statIfThere(folder)) return false;
    try {
      watcher = Deno.watchFs(folder, { recursive: false });
    } catch {
      // The number of watches is limited: without one only runs that last are found, by the store.
      return false;
    }
    pass(watcher).catch(() => watcher = undefined);
    return true;
  }

  return {
    lookForFolder,
    isWatching: () => watcher !== undefined,
    some: () => runs.length > 0,
    take() {
      const taken = runs;
      runs = [];
      return taken;
    },
    [Symbol.dispose]: () => watcher?.close(),
  };
}
