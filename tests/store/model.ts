/** What a store has to do, on plain objects: the other side of the comparison in model.test.ts. */

import { type Finished, type Job, type JobState, jobStates, type NewJob } from "../../src/job/job.ts";
import type { JobKind } from "../../src/store/job_filter.ts";

/** A job of the model, with what only the store's inside knows. */
export interface ModelJob extends Job {
  seq: number;
  claim: number;
  run: number;
  worker: number | null;
  cancelRequested: boolean;
  startedAt: number;
  attemptsKept: Array<{ run: number; number: number; outcome: string }>;
}

export type Model = ReturnType<typeof createModel>;

export function createModel() {
  let jobs: ModelJob[] = [];
  /** The end of the lease of every registered process. */
  const leases = new Map<number, number>();
  let seq = 0;
  let died = 0;

  const isReady = (job: ModelJob, now: number) =>
    ["pending", "failed"].includes(job.state) && !job.held && (job.nextAttemptAt ?? now) <= now;

  const isActive = (job: ModelJob) => ["pending", "processing", "failed"].includes(job.state);
  const holderOf = (key: string | null | undefined) =>
    typeof key === "string" ? jobs.find((job) => isActive(job) && job.uniqueKey === key) : undefined;

  return {
    leases,
    jobs: () => jobs,
    died: () => died,

    /** Whether the jobs were taken: all or none. */
    enqueue(added: readonly NewJob[], now: number): boolean {
      if (new Set(added.map(({ id }) => id)).size < added.length) return false;
      const before = structuredClone(jobs);
      for (const { delay, at, onDuplicate, ...job } of added) {
        const holder = holderOf(job.uniqueKey);
        if (holder && onDuplicate === "keep") continue;
        const isRefused = holder && (onDuplicate !== "replace" || holder.state === "processing");
        if (isRefused || jobs.some(({ id }) => id === job.id)) {
          jobs = before;
          return false;
        }
        if (holder) {
          Object.assign(holder, {
            state: "cancelled",
            held: false,
            nextAttemptAt: null,
            updatedAt: now,
            lastError: `Replaced by job "${job.id}"`,
          });
        }
        const due = at ?? now + (delay ?? 0);
        jobs.push({
          ...job,
          state: "pending",
          createdAt: now,
          updatedAt: now,
          nextAttemptAt: due > now ? due : null,
          lastError: null,
          queue: job.queue ?? "default",
          tags: job.tags ?? [],
          uniqueKey: job.uniqueKey ?? null,
          retryRules: job.retryRules ?? null,
          held: job.held ?? false,
          blocked: 0,
          seq: ++seq,
          claim: 0,
          run: 0,
          worker: null,
          cancelRequested: false,
          startedAt: 0,
          attemptsKept: [],
        });
      }
      return true;
    },

    /** Records a run of the job with that `seq` of the model; false for a stale result. */
    finish(key: number, { claim, attempt, run, outcome, next }: Finished, now: number): boolean {
      const job = jobs.find((job) => job.seq === key && job.claim === claim && job.state === "processing");
      if (!job) return false;
      const cancelled = next.state !== "completed" && job.cancelRequested;
      job.state = cancelled ? "cancelled" : next.state;
      job.cancelRequested = false;
      job.attempts = next.state === "pending" ? attempt - 1 : attempt;
      const delay = "delay" in next ? next.delay ?? 0 : 0;
      job.nextAttemptAt = !cancelled && delay > 0 ? now + delay : null;
      job.lastError = "error" in next ? next.error ?? null : null;
      job.updatedAt = now;
      job.worker = null;
      job.attemptsKept.push({ run, number: attempt, outcome: outcome.kind });
      if (job.state === "dead") died++;
      return true;
    },

    claim(worker: number, want: number, now: number): ModelJob[] {
      const claimed = jobs.filter((job) => isReady(job, now))
        .sort((a, b) => b.priority - a.priority || a.seq - b.seq).slice(0, want);
      for (const job of claimed) {
        Object.assign(job, {
          state: "processing",
          nextAttemptAt: null,
          worker,
          startedAt: now,
          updatedAt: now,
        });
        job.attempts++;
        job.claim++;
        job.run++;
      }
      return claimed;
    },

    takeOver(worker: number, gone: readonly number[], now: number): ModelJob[] {
      for (const [id, end] of leases) {
        if (gone.includes(id) || end < now && id !== worker) leases.delete(id);
      }
      const orphans = jobs.filter((job) => job.state === "processing" && !leases.has(job.worker!));
      for (const job of orphans) Object.assign(job, { worker, claim: job.claim + 1 });
      return orphans;
    },

    /** Whether the job could be cancelled. */
    cancel(id: string, now: number): boolean {
      const job = jobs.find((job) => job.id === id);
      if (!job || !["pending", "failed", "processing"].includes(job.state)) return false;
      if (job.state === "processing") job.cancelRequested = true;
      else Object.assign(job, { state: "cancelled", held: false, nextAttemptAt: null });
      job.updatedAt = now;
      return true;
    },

    /**
     * Retries the jobs of these states, or of one with that id; only those that have their unique keys, or get them: nobody
     * has them, and none of the others is newer.
     */
    retry(states: readonly JobState[], id: string | null, now: number): string[] {
      const chosen = jobs.filter((job) => states.includes(job.state) && (id === null || job.id === id));
      const retried = chosen.filter((job) => {
        if (job.uniqueKey === null || isActive(job)) return true;
        const rivals = jobs.filter((other) => other !== job && other.uniqueKey === job.uniqueKey);
        return !rivals.some((other) => isActive(other) || chosen.includes(other) && other.seq > job.seq);
      });
      for (const job of retried) {
        Object.assign(job, {
          state: "pending",
          attempts: 0,
          held: false,
          lastError: null,
          nextAttemptAt: null,
          updatedAt: now,
        });
      }
      return retried.map((job) => job.id);
    },

    /** Holds the jobs that wait, or lets held ones go: all, or the one with that id. */
    hold(held: boolean, id: string | null, now: number): string[] {
      const chosen = jobs.filter((job) =>
        ["pending", "failed"].includes(job.state) && (held || job.held) && (id === null || job.id === id)
      );
      for (const job of chosen) {
        if (job.held !== held) Object.assign(job, { held, updatedAt: now });
      }
      return chosen.map((job) => job.id);
    },

    /** Removes the jobs of these states, or of one with that id. */
    remove(states: readonly JobState[], id: string | null): string[] {
      const removed = jobs.filter((job) => states.includes(job.state) && (id === null || job.id === id));
      jobs = jobs.filter((job) => !removed.includes(job));
      return removed.map((job) => job.id);
    },

    /** The ids of the jobs that a list of these kinds has. */
    listed(kinds: readonly JobKind[], now: number): string[] {
      const isOf = (job: ModelJob, kind: JobKind) => {
        if (kind === "waiting") return isReady(job, now);
        if (kind === "scheduled") return job.nextAttemptAt !== null && job.nextAttemptAt > now && !job.held;
        return kind === "held" ? job.held : job.state === kind;
      };
      return jobs.filter((job) => kinds.some((kind) => isOf(job, kind))).map(({ id }) => id);
    },

    counts: () =>
      Object.fromEntries(jobStates.map((state) => [state, jobs.filter((job) => job.state === state).length])),

    availability(now: number) {
      const waiting = jobs.flatMap((job) => job.nextAttemptAt !== null ? [job.nextAttemptAt - now] : []);
      const later = waiting.filter((time) => time > 0);
      return {
        ready: jobs.some((job) => isReady(job, now)),
        dueIn: later.length > 0 ? Math.min(...later) : null,
      };
    },
  };
}
