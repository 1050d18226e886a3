/** Answers as an empty queue does, where there is none and none is to be made. */

import { defaultQueueName, type JobState, jobStates } from "../../job/job.ts";
import { allQueues, type Queue } from "../queues.ts";
import { QueuectlError } from "../../base/errors.ts";
import { noJob, noQueue, queueStays, type Scope, scopes } from "../errors.ts";
import { isNamed } from "../job_filter.ts";
import { changed } from "../side_effects.ts";
import type { Selection, Store } from "../store.ts";

const known = [allQueues, defaultQueueName];

/** What a new database has. */
const emptyQueues = (): Queue[] =>
  known.map((name) => ({
    name,
    paused: false,
    concurrency: null,
    rate: null,
    ratePeriod: null,
    maxRetries: null,
    timeout: null,
    nextStart: null,
    counts: noJobs(),
  }));

const noJobs = () => Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;

/** A store without a database; what would change something is refused. */
export function emptyStore(url: string, location: string, spool: () => string): Store {
  const none = <T>(value: T) => () => Promise.resolve(value);
  const refuse = () => Promise.reject(new QueuectlError("database", `There is no queue in ${location} yet`));
  const missing = (jobs: Selection, { missing }: Scope) =>
    isNamed(jobs) && jobs.length > 0 ? Promise.reject<never[]>(missing(jobs[0])) : Promise.resolve([]);
  return {
    url,
    urlWithoutPassword: location,
    location,
    get spool() {
      return spool();
    },
    identities: [],
    isInPlace: () => true,
    makeReserve: none(undefined),
    exists: false,
    shared: true,
    enqueue: refuse,
    intake: refuse,
    exchange: none({ claims: [], stale: [], cancel: [], signals: [], stop: null }),
    availability: none({ ready: false, dueIn: null }),
    isWorkLeft: none(false),
    changed: () => false,
    watch: () => null,
    register: refuse,
    heartbeat: none(false),
    leave: none(undefined),
    processes: none([]),
    takeOver: none([]),
    hasten: () => {},
    isRunning: none(false),
    requestStop: none([]),
    counts: () => Promise.resolve(noJobs()),
    keptBack: none({ held: 0, blocked: 0, scheduled: 0, paused: 0 }),
    countOpen: none(0),
    queueNames: none([defaultQueueName]),
    tagNames: none([]),
    deaths: none(0),
    list: none([]),
    pageOfKeys: () => Promise.resolve({ keys: [], end: null }),
    keys: none([]),
    lastOutput: none(null),
    keepOutput: refuse,
    keptOutput: none([]),
    findRun: (id) => Promise.reject(noJob(id)),
    find: (ids) => missing(ids, scopes.edit) as Promise<never[]>,
    progress: none([]),
    upcoming: none({ last: 0, running: [], next: [] }),
    ranAfter: none([]),
    detail: (id) => Promise.reject(noJob(id)),
    runAfter: none(null),
    attempts: (id) => Promise.reject(noJob(id)),
    cancel: async (jobs) => ({ ...changed(await missing(jobs, scopes.cancel)), running: [] }),
    retry: async (jobs) => changed(await missing(jobs, scopes.retry)),
    remove: async (jobs) => changed(await missing(jobs, scopes.remove)),
    edit: async (jobs) => changed(await missing(jobs, scopes.edit)),
    signal: async (jobs) => changed(await missing(jobs, scopes.signal)),
    removeSignals: none(undefined),
    hold: async (jobs) => changed(await missing(jobs, scopes.hold)),
    release: async (jobs) => changed(await missing(jobs, scopes.release)),
    dlqRetry: async (jobs) => changed(await missing(jobs, scopes.dlqRetry)),
    dlqPurge: async (jobs) => changed(await missing(jobs, scopes.dlqPurge)),
    check: none([]),
    strangers: none([]),
    moving: refuse,
    queues: () => Promise.resolve(emptyQueues()),
    enqueueDefaults: () => Promise.resolve({ settings: [], queues: new Map() }),
    setQueue: refuse,
    pauseQueues: (names) => {
      const unknown = names.find((name) => !known.includes(name));
      return unknown === undefined ? Promise.resolve() : Promise.reject(noQueue(unknown, known));
    },
    removeQueue: (name) =>
      Promise.reject(name === defaultQueueName ? queueStays(name) : noQueue(name, known)),
    moveJobs: async (jobs) => changed(await missing(jobs, scopes.move)),
    settings: none([]),
    setSetting: refuse,
    unsetSetting: none(false),
    [Symbol.asyncDispose]: none(undefined),
  };
}
