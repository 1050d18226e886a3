/** What `status` prints, as lines and JSON. Pure functions of their arguments. */

import { type JobState, jobStates } from "../../job/job.ts";
import type { KeptBack } from "../../store/queues.ts";
import type { RegisteredProcess } from "../../store/store.ts";
import type { Pace } from "./finish_rate.ts";
import { rough } from "./output.ts";

type Counts = Record<JobState, number>;

/** How a line is written. */
export type Line = (title: string, text: string) => string;

/** A line as wide as it is. */
export const statusLine: Line = (title, text) => `  ${title.padEnd(10)} : ${text}`;

/** The lines of the original; cancelled jobs, which it does not know, have one only where there are such. */
export function countLines(counts: Counts, line: Line): string[] {
  const shown = jobStates.filter((state) => state !== "cancelled" || counts.cancelled > 0);
  return ["Queue Status:", ...shown.map((state) => line(state, String(counts[state])))];
}

/** Which of the jobs that wait cannot be started now; none where all of them can. */
export function keptBackLines({ scheduled, held, blocked, paused }: KeptBack, line: Line): string[] {
  const kept = [
    ...scheduled > 0 ? [`${scheduled} scheduled`] : [],
    ...blocked > 0 ? [`${blocked} blocked`] : [],
    ...held > 0 ? [`${held} held`] : [],
    ...paused > 0 ? [`${paused} paused`] : [],
  ];
  return kept.length > 0 ? [line("of these", kept.join(", "))] : [];
}

/** The workers that are there, what they can run side by side, what runs, and the jobs they finish a minute. */
export interface Work {
  workers: number;
  slots: number;
  slotsInUse: number;
  /** Null as long as no worker knows. */
  pace: number | null;
}

export function workOf(processes: readonly RegisteredProcess[], counts: Counts): Work {
  const workers = processes.filter(({ role, expired }) => role === "worker" && !expired);
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const paces = workers.flatMap(({ pace }) => pace ?? []);
  return {
    workers: workers.length,
    slots,
    slotsInUse: Math.min(counts.processing, slots),
    pace: paces.length === 0 ? null : paces.reduce((sum, pace) => sum + pace, 0),
  };
}

export const workLine = ({ workers, slots, slotsInUse }: Work, line: Line) =>
  line("workers", `${workers}, ${slotsInUse} of ${slots} slots in use`);

/** The jobs that run, or can be started: those for which there is a time left. */
export function openJobs(counts: Counts, { scheduled, held, blocked, paused }: KeptBack): number {
  return Math.max(0, counts.pending + counts.failed - scheduled - held - blocked - paused) +
    counts.processing;
}

/** Milliseconds until no job is open any more, at the pace of the workers; null where that cannot be told. */
export function timeLeft(open: number, pace: number | null): number | null {
  if (open === 0) return 0;
  // Less than a job in ten minutes is the last of a pace that fades.
  return pace === null || pace < 0.1 ? null : open / pace * 60_000;
}

const leftWords = (left: number | null) => left === null ? "-" : left === 0 ? "none" : `about ${rough(left)}`;

/** The pace of the last minute as the workers tell it, and the time left. */
export function paceLines(open: number, pace: number, line: Line): string[] {
  const text = pace >= 9.95 || pace === 0 ? pace.toFixed(0) : pace.toFixed(1);
  return [
    line("finished", `${text} a minute`),
    line("time left", leftWords(timeLeft(open, pace))),
  ];
}

/** The same as it was seen since `status --watch` was started. */
export function watchedPaceLines({ finished, over, left }: Pace, line: Line): string[] {
  const since = over >= 59_000 ? "the last minute" : rough(over);
  return [
    line("finished", over < 1000 ? "-" : `${finished} in ${since}`),
    line("time left", leftWords(left)),
  ];
}

/** All of it but the queues for `--json`; times are seconds. */
export function statusObject(counts: Counts, kept: KeptBack, work: Work) {
  const left = timeLeft(openJobs(counts, kept), work.pace);
  return {
    ...Object.fromEntries(jobStates.map((state) => [state, counts[state]])),
    scheduled: kept.scheduled,
    blocked: kept.blocked,
    held: kept.held,
    paused: kept.paused,
    workers: work.workers,
    slots: work.slots,
    slots_in_use: work.slotsInUse,
    finished_per_minute: work.pace === null ? null : Math.round(work.pace * 100) / 100,
    time_left: left === null ? null : Math.round(left / 1000),
  };
}
