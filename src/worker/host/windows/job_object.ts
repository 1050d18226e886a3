/**
 * Job objects: all processes of a command are in one of its own, and so is every process that they start, also one whose
 * parent has ended. Documented at learn.microsoft.com/windows/win32/procthread/job-objects.
 */

import { kernel32, wideText } from "./libraries.ts";

/** Rights to a job: to ask it, and to end it. */
const queryAndTerminate = 0x4 | 0x8;
/** JobObjectBasicProcessIdList and JobObjectExtendedLimitInformation. */
const [processList, extendedLimits] = [3, 9];
const extendedLimitsSize = 144;
const limitFlagsOffset = 16;
/** JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE. */
const killOnClose = 0x2000;
/** What a process reports that was ended with its job; the number means nothing. */
const endedStatus = 1;

/** A job by its handle. */
export type JobObject = bigint;

/**
 * The name of the job of a run, by its claim token. In the namespace of all sessions: a service and a terminal are two,
 * and whoever adopts a command may be in the other one.
 */
export function jobName(claim: string): string {
  return `Global\\queuectl-${claim}`;
}

/** Makes a job that ends with this process, until {@link letLive} is called. Throws when that cannot be done. */
export function createJob(name: string): JobObject {
  const job = kernel32().CreateJobObjectW(null, wideText(name));
  if (job === 0n) throw new Error(`no job object can be made (error ${kernel32().GetLastError()})`);
  try {
    setLimits(job, killOnClose);
  } catch (error) {
    closeHandle(job);
    throw error;
  }
  return job;
}

/** From now on the processes of a job live on when nobody has a handle of it any more. */
export function letLive(job: JobObject): void {
  setLimits(job, 0);
}

function setLimits(job: JobObject, flags: number): void {
  const limits = new Uint8Array(extendedLimitsSize);
  new DataView(limits.buffer).setUint32(limitFlagsOffset, flags, true);
  if (!kernel32().SetInformationJobObject(job, extendedLimits, limits, limits.length)) {
    throw new Error(`a job object cannot be changed (error ${kernel32().GetLastError()})`);
  }
}

/** The job of that name; undefined where there is none, or none any more that has a name. To be closed. */
export function openJob(name: string): JobObject | undefined {
  const job = kernel32().OpenJobObjectW(queryAndTerminate, 0, wideText(name));
  return job === 0n ? undefined : job;
}

/** The pids of the processes in a job that have not ended. */
export function jobProcesses(job: JobObject): number[] {
  for (let room = 64;; room *= 2) {
    const list = new Uint8Array(8 + 8 * room);
    const isWhole = kernel32().QueryInformationJobObject(job, processList, list, list.length, null) !== 0;
    const view = new DataView(list.buffer);
    const count = view.getUint32(0, true);
    // Before the list there are two numbers: how many processes there are, and how many of them are in it.
    if (!isWhole && count <= room) {
      throw new Error(`a job object does not tell its processes (error ${kernel32().GetLastError()})`);
    }
    if (!isWhole) continue;
    const listed = view.getUint32(4, true);
    return Array.from({ length: listed }, (_, index) => Number(view.getBigUint64(8 + 8 * index, true)));
  }
}

/** Ends all processes of a job, at once. */
export function endJob(job: JobObject): void {
  kernel32().TerminateJobObject(job, endedStatus);
}

/** Closes any handle. */
export function closeHandle(handle: bigint): void {
  kernel32().CloseHandle(handle);
}
