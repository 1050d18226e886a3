/** All that a store does but for the hot path (enqueue, claim, record): once, whichever engine is under it. */

import { scopes } from "../errors.ts";
import type { Engine } from "../sql.ts";
import type { Store } from "../store.ts";
import { cancel } from "./cancel.ts";
import { countOpen, counts, deaths, keptBack, tagNames } from "./counts.ts";
import { edit } from "./edit.ts";
import { hold, release } from "./hold.ts";
import { keys, list, pageOfKeys } from "./list.ts";
import { isRunning, leave, listProcesses, requestStop } from "./processes.ts";
import { detail, find, progress, ranAfter, upcoming } from "./progress.ts";
import { changeSelection, type Relief } from "./change_in_batches.ts";
import { moveJobs, pauseQueues, queueNames, removeQueue, setQueue } from "./queues.ts";
import { remove } from "./remove.ts";
import { retry } from "./retry.ts";
import { attempts, findRun, lastOutput, runAfter } from "./runs.ts";
import { setSetting, settings, unsetSetting } from "./settings.ts";
import { removeSignals, signal } from "./signal.ts";

/**
 * These operations on an engine, as methods of a {@link Store}. `relief` makes room for those that remove or end jobs;
 * `first` is for tests, see change_in_batches.ts.
 */
export function operationsOn(engine: Engine, { relief, first }: { relief?: Relief; first?: number } = {}) {
  const ending = { effort: { slow: true, once: true }, ends: true, relief, first };
  const slow = { slow: true };
  const once = { once: true };
  const slowOnce = { slow: true, once: true };
  return {
    leave: (process) => engine.write((sql) => leave(sql, process)),
    processes: () => engine.read(listProcesses),
    isRunning: (seq, run, boot) => engine.read((sql) => isRunning(sql, seq, run, boot)),
    requestStop: (request, gone, hosts) => engine.write((sql) => requestStop(sql, request, gone, hosts)),
    counts: () => engine.read(counts),
    countOpen: () => engine.read(countOpen),
    keptBack: () => engine.read(keptBack),
    deaths: () => engine.read(deaths),
    queueNames: () => engine.read(queueNames),
    tagNames: (limit) => engine.read((sql) => tagNames(sql, limit)),
    lastOutput: (id) => engine.read((sql) => lastOutput(sql, id)),
    findRun: (id) => engine.read((sql) => findRun(sql, id)),
    find: (ids) => engine.read((sql) => find(sql, ids)),
    progress: (seqs) => engine.read((sql) => progress(sql, seqs)),
    upcoming: (limit) => engine.read((sql) => upcoming(sql, limit)),
    ranAfter: (seq) => engine.read((sql) => ranAfter(sql, seq)),
    detail: (id) => engine.read((sql) => detail(sql, id)),
    runAfter: (seq, run) => engine.read((sql) => runAfter(sql, seq, run)),
    attempts: (id) => engine.read((sql) => attempts(sql, id)),
    cancel: (jobs) => changeSelection(engine, jobs, scopes.cancel, cancel, ending),
    retry: (jobs, changes = {}) => retry(engine, jobs, changes, scopes.retry),
    remove: (jobs) => changeSelection(engine, jobs, scopes.remove, remove, ending),
    edit: (jobs, changes, start) =>
      changeSelection(
        engine,
        jobs,
        start === undefined ? scopes.edit : scopes.reschedule,
        (sql, jobs) => edit(sql, jobs, changes, start),
        { effort: start === undefined ? {} : once },
      ),
    signal: (jobs, name) =>
      changeSelection(engine, jobs, scopes.signal, (sql, jobs) => signal(sql, jobs, name), {
        effort: once,
        first,
      }),
    removeSignals: (ids) => engine.write((sql) => removeSignals(sql, ids)),
    hold: (jobs) => changeSelection(engine, jobs, scopes.hold, hold, { effort: slow, first }),
    release: (jobs) => changeSelection(engine, jobs, scopes.release, release, { effort: slowOnce, first }),
    dlqRetry: (jobs, changes = {}) => retry(engine, jobs, changes, scopes.dlqRetry),
    dlqPurge: (jobs) => changeSelection(engine, jobs, scopes.dlqPurge, remove, ending),
    setQueue: (name, changes) => engine.write((sql) => setQueue(sql, name, changes)),
    pauseQueues: (names, paused) => engine.write((sql) => pauseQueues(sql, names, paused)),
    removeQueue: (name) => engine.write((sql) => removeQueue(sql, name), once),
    list: (filter) => engine.read((sql) => list(sql, filter), slow),
    keys: (filter) => engine.read((sql) => keys(sql, filter), slow),
    pageOfKeys: (filter) => engine.read((sql) => pageOfKeys(sql, filter), slow),
    settings: () => engine.read(settings),
    setSetting: (name, value) => engine.write((sql) => setSetting(sql, name, value)),
    unsetSetting: (name) => engine.write((sql) => unsetSetting(sql, name), once),
    moveJobs: (jobs, queue) =>
      changeSelection(engine, jobs, scopes.move, (sql, jobs) => moveJobs(sql, jobs, queue), {
        effort: slow,
        first,
        // As an enqueue does: the table is locked before any job.
        before: (sql) => sql.lockQueues("queues"),
      }),
  } satisfies Partial<Store>;
}
