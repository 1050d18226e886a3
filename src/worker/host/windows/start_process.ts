/**
 * Starts processes as `Deno.Command` cannot: without a console window, in a job of their own before they run, with
 * outputs that others may cut. By CreateProcessW, documented at
 * learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw.
 */

import { longPath } from "./long_path.ts";
import { closeHandle, createJob, endJob, type JobObject, letLive } from "./job_object.ts";
import { kernel32, ntdll, wideText } from "./libraries.ts";
import { environmentBlock } from "./environment.ts";

/** CREATE_SUSPENDED, CREATE_NEW_PROCESS_GROUP, CREATE_UNICODE_ENVIRONMENT, EXTENDED_STARTUPINFO_PRESENT, CREATE_NO_WINDOW. */
const [suspended, newGroup, unicode, extended, noWindow] = [0x4, 0x200, 0x400, 0x80000, 0x8000000];
/** PROC_THREAD_ATTRIBUTE_HANDLE_LIST and _JOB_LIST. */
const [handleListAttribute, jobListAttribute] = [0x20002n, 0x2000Dn];
/** STARTF_USESTDHANDLES. */
const useStandardHandles = 0x100;
/** STARTUPINFOEXW: its size, and the places of the flags, the first of three handles and the attributes. */
const startupInfo = { size: 112, flags: 60, handles: 80, attributes: 104 };
/** Rights: to append to a file and wait for it; to read one; to write one. */
const [appendAccess, readAccess, writeAccess] = [0x4 | 0x100000, 0x80000000, 0x40000000];
/** Others may read, write and remove it. */
const shareAll = 7;
const [openExisting, openAlways, normalFile] = [3, 4, 0x80];
const invalidHandle = 0xFFFFFFFFFFFFFFFFn;
/** What ResumeThread answers when it has not. */
const failed = 0xFFFFFFFF;
/** DUPLICATE_SAME_ACCESS. */
const sameAccess = 2;
/** Rights to a process: to ask for its times and its program; to end it; to suspend and resume it. */
const [query, terminate, suspendAndResume] = [0x1000, 0x1, 0x800];

/** ERROR_ACCESS_DENIED. */
const accessDenied = 5;

/** What is started. */
export interface ProcessSpec {
  /** The path of the program. */
  program: string;
  /** The whole command line, the program included, as the program is to read it. */
  line: string;
  environment: Record<string, string>;
  /** The current folder; null for that of this process. */
  cwd: string | null;
}

/** A process, by its handle, which is to be closed. */
export interface StartedProcess {
  handle: bigint;
  pid: number;
  /** When it was made, as the process table tells it. */
  start: string;
}

/** A process that has not begun to run, and its job. */
export interface SuspendedProcess extends StartedProcess {
  job: JobObject;
  /** Lets it run. From now on it lives on when this process ends. Throws when that cannot be done. */
  resume(): void;
  /** Closes the handles of the process, but not that of its job; one that was not let run ends. */
  release(): void;
}

/** Windows has refused to start a process; `code` is its error. */
export class StartError extends Error {
  override readonly name = "StartError";

  constructor(readonly code: number) {
    super(`Windows could not start it (error ${code})`);
  }
}

/**
 * Makes a process in a job of that name that reads nothing and appends what it prints to two files, which are made; in a
 * console of its own without a window, and the first of a group. If this process ends before it has called `resume`, the
 * new one ends too. Throws {@link StartError}; whatever else it throws is about the files or the job.
 */
export function startSuspended(
  spec: ProcessSpec,
  outputs: { out: string; err: string },
  job: string,
): SuspendedProcess {
  const opened: bigint[] = [];
  const open = (handle: bigint) => {
    opened.push(handle);
    return handle;
  };
  let jobObject: JobObject | undefined;
  try {
    const handles = [
      open(openFile("NUL", readAccess, openExisting)),
      open(openFile(longPath(outputs.out), appendAccess, openAlways)),
      open(openFile(longPath(outputs.err), appendAccess, openAlways)),
    ];
    jobObject = createJob(job);
    const created = createProcess(spec, suspended | newGroup, handles, jobObject);
    const handle = jobObject;
    let isSuspended = true;
    return {
      ...created.process,
      job: handle,
      resume() {
        letLive(handle);
        keepJob(created.process.handle, handle);
        if (kernel32().ResumeThread(created.thread) === failed) {
          throw new Error(`a process cannot be let run (error ${kernel32().GetLastError()})`);
        }
        isSuspended = false;
      },
      release() {
        if (isSuspended) endJob(handle);
        closeHandle(created.thread);
        closeHandle(created.process.handle);
      },
    };
  } catch (error) {
    if (jobObject !== undefined) closeHandle(jobObject);
    throw error;
  } finally {
    opened.forEach(closeHandle);
  }
}

/** Starts a process that has nothing to do with the console, the input and the outputs of this one. */
export function startHidden(spec: ProcessSpec): void {
  const nothing = openFile("NUL", readAccess + writeAccess, openExisting);
  try {
    const { process, thread } = createProcess(spec, 0, [nothing, nothing, nothing], null);
    closeHandle(thread);
    closeHandle(process.handle);
  } finally {
    closeHandle(nothing);
  }
}

function createProcess(
  { program, line, environment, cwd }: ProcessSpec,
  flags: number,
  handles: readonly bigint[],
  job: JobObject | null,
): { process: StartedProcess; thread: bigint } {
  // Each once: Windows refuses a list that has one twice.
  using attributes = attributeList([
    [handleListAttribute, [...new Set(handles)]],
    ...job === null ? [] : [[jobListAttribute, [job]] as const],
  ]);
  const startup = new Uint8Array(startupInfo.size);
  const view = new DataView(startup.buffer);
  view.setUint32(0, startup.length, true);
  view.setUint32(startupInfo.flags, useStandardHandles, true);
  handles.forEach((handle, index) => view.setBigUint64(startupInfo.handles + 8 * index, handle, true));
  view.setBigUint64(startupInfo.attributes, attributes.address, true);
  const information = new Uint8Array(24);
  const isStarted = kernel32().CreateProcessW(
    wideText(program),
    wideText(line),
    null,
    null,
    1,
    flags | unicode | extended | noWindow,
    wideText(environmentBlock(environment)),
    cwd === null ? null : wideText(cwd),
    startup,
    information,
  );
  if (!isStarted) throw new StartError(kernel32().GetLastError());
  const result = new DataView(information.buffer);
  const handle = result.getBigUint64(0, true);
  return {
    process: { handle, pid: result.getUint32(16, true), start: creationTime(handle) },
    thread: result.getBigUint64(8, true),
  };
}

/**
 * A PROC_THREAD_ATTRIBUTE_LIST of these attributes, each with handles as its value. Its memory is that of Windows, because
 * it holds addresses, which memory of JavaScript has only for whoever may use all of FFI.
 */
function attributeList(
  attributes: ReadonlyArray<readonly [attribute: bigint, handles: readonly bigint[]]>,
): { address: bigint } & Disposable {
  const memory: bigint[] = [];
  const allocate = (size: number) => {
    const address = kernel32().LocalAlloc(0, BigInt(size));
    if (address === 0n) throw new StartError(kernel32().GetLastError());
    memory.push(address);
    return address;
  };
  const free = () => memory.splice(0).forEach((address) => kernel32().LocalFree(address));
  try {
    const size = new BigUint64Array(1);
    const sizeBytes = new Uint8Array(size.buffer);
    // The first call only tells how long it will be.
    kernel32().InitializeProcThreadAttributeList(0n, attributes.length, 0, sizeBytes);
    const address = allocate(Number(size[0]));
    const isMade = kernel32().InitializeProcThreadAttributeList(address, attributes.length, 0, sizeBytes) &&
      attributes.every(([attribute, handles]) => {
        const bytes = new Uint8Array(new BigUint64Array(handles).buffer);
        const value = allocate(bytes.length);
        const length = BigInt(bytes.length);
        kernel32().RtlMoveMemory(value, bytes, length);
        return kernel32().UpdateProcThreadAttribute(address, 0, attribute, value, length, null, null);
      });
    if (!isMade) throw new StartError(kernel32().GetLastError());
    return { address, [Symbol.dispose]: free };
  } catch (error) {
    free();
    throw error;
  }
}

/** Opens a file so that the new process gets it, and others may read, cut and remove it. */
function openFile(path: string, access: number, disposition: number): bigint {
  const inheritable = new Uint8Array(24);
  const view = new DataView(inheritable.buffer);
  view.setUint32(0, inheritable.length, true);
  view.setInt32(16, 1, true);
  const handle = kernel32().CreateFileW(
    wideText(path),
    access,
    shareAll,
    inheritable,
    disposition,
    normalFile,
    0n,
  );
  if (handle === invalidHandle) {
    throw new Error(`${path} cannot be opened (error ${kernel32().GetLastError()})`);
  }
  return handle;
}

/**
 * Gives a process a handle of its job, which its children inherit: the name of a job is known only as long as there is
 * any handle of it, and who adopts the command finds the job by its name.
 */
function keepJob(process: bigint, job: JobObject): void {
  const own = kernel32().GetCurrentProcess();
  const copy = new Uint8Array(8);
  // Where it fails, the process table still tells what belongs to the command.
  kernel32().DuplicateHandle(own, job, process, copy, 0, 1, sameAccess);
}

/** When a process was made, in units of 100 ns since 1601. */
function creationTime(process: bigint): string {
  const [created, ...others] = Array.from({ length: 4 }, () => new Uint8Array(8));
  kernel32().GetProcessTimes(process, created, others[0], others[1], others[2]);
  return String(new DataView(created.buffer).getBigInt64(0, true));
}

/** Whether a process, of which a handle is held, has ended. */
export function hasProcessEnded(process: bigint): boolean {
  return kernel32().WaitForSingleObject(process, 0) === 0;
}

/** The path of the program that a process runs; undefined when it is gone, or may not be asked. */
export function programOf(pid: number): string | undefined {
  const process = kernel32().OpenProcess(query, 0, pid);
  if (process === 0n) return undefined;
  const path = new Uint16Array(32_768);
  const length = new Uint32Array([path.length]);
  const isKnown = kernel32().QueryFullProcessImageNameW(
    process,
    0,
    new Uint8Array(path.buffer),
    new Uint8Array(length.buffer),
  );
  closeHandle(process);
  return isKnown ? new TextDecoder("utf-16le").decode(path.subarray(0, length[0])) : undefined;
}

/** Ends one process; one that is gone is no error. False when this is not allowed, as it is another user's. */
export function endProcess(pid: number): boolean {
  const process = kernel32().OpenProcess(terminate, 0, pid);
  if (process === 0n) return kernel32().GetLastError() !== accessDenied;
  kernel32().TerminateProcess(process, 1);
  closeHandle(process);
  return true;
}

/**
 * Lets a process run whose starter was killed before it did so: for all others this changes nothing. The process must be
 * known to be the right one at this moment.
 */
export function resumeIfSuspended({ pid, start }: { pid: number; start: string }): void {
  const process = kernel32().OpenProcess(query | suspendAndResume, 0, pid);
  if (process === 0n) return;
  if (creationTime(process) === start) ntdll().NtResumeProcess(process);
  closeHandle(process);
}
