/**
 * The processes of Windows, by one call of ntdll that needs no rights to foreign processes (`NtQuerySystemInformation`,
 * documented at learn.microsoft.com/windows/win32/api/winternl): a millisecond, where PowerShell takes most of a second.
 */

import { type ProcessEntry, type Snapshot, snapshotWithoutMarks } from "./platform.ts";
import { ntdll } from "./windows/libraries.ts";

/** Classes of system information: SystemTimeOfDayInformation and SystemProcessInformation. */
const [timeOfDay, processTable] = [3, 5];
/** STATUS_INFO_LENGTH_MISMATCH: the buffer is too small. */
const tooSmall = 0xC0000004;
/** The process that is there from the start of Windows to its end. */
const systemPid = 4;

let buffer = new Uint8Array(256 * 1024);

/** All processes of this host. Throws when Windows does not tell. */
export function readProcessTable(): Snapshot {
  const processes = parseProcessTable(query(processTable));
  return snapshotWithoutMarks(systemStart(processes) ?? bootTime(), processes);
}

/**
 * A boot is told by the time at which the process "System" was made, or the first of those that it made and that stay:
 * that is not changed when the clock is set. Undefined where there are none of them.
 */
export function systemStart(processes: ReadonlyMap<number, ProcessEntry>): string | undefined {
  const system = [...processes.values()].filter(({ pid, parent, startOrder }) =>
    (pid === systemPid || parent === systemPid) && startOrder > 0
  );
  return system.sort((one, other) => one.startOrder - other.startOrder)[0]?.start;
}

/** Where there is no such process, as in Wine: there it does not change when the clock is set either. */
function bootTime(): string {
  return String(new DataView(query(timeOfDay, 48).buffer).getBigInt64(0, true));
}

/** The answer of Windows, a copy; of `size` bytes where that is the only size it takes. */
function query(kind: number, size?: number): Uint8Array<ArrayBuffer> {
  const length = new Uint32Array(1);
  for (;;) {
    const answer = size === undefined ? buffer : new Uint8Array(size);
    const status = ntdll().NtQuerySystemInformation(
      kind,
      answer,
      answer.length,
      new Uint8Array(length.buffer),
    );
    if (status === 0) return answer.slice(0, size ?? length[0]);
    if (status !== tooSmall || size !== undefined) {
      throw new Error(`Windows does not tell which processes there are (status 0x${status.toString(16)})`);
    }
    // More than was asked for: processes start all the time.
    buffer = new Uint8Array(length[0] + 64 * 1024);
  }
}

/** Reads a list of SYSTEM_PROCESS_INFORMATION, by the offsets of 64-bit Windows. */
export function parseProcessTable(bytes: Uint8Array<ArrayBuffer>): Map<number, ProcessEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const processes = new Map<number, ProcessEntry>();
  for (let at = 0, next = -1; next !== 0; at += next) {
    next = view.getUint32(at, true);
    const threads = view.getUint32(at + 4, true);
    const created = view.getBigInt64(at + 32, true);
    const pid = Number(view.getBigUint64(at + 80, true));
    processes.set(pid, {
      pid,
      parent: Number(view.getBigUint64(at + 88, true)),
      group: 0,
      // In units of 100 ns since 1601.
      start: String(created),
      startOrder: Number(created),
      // One that has ended stays as long as anybody has a handle of it.
      zombie: threads === 0,
    });
  }
  return processes;
}

/**
 * A process and all below it that still run, where it was started at `start`. The number of a parent stays in the table
 * when that has ended, and may belong to another process by now: a parent is never younger than its child.
 */
export function processesBelow(
  processes: ReadonlyMap<number, ProcessEntry>,
  root: { pid: number; start: string },
): number[] {
  const found = new Map<number, number>([[root.pid, Number(root.start)]]);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const { pid, parent, startOrder } of processes.values()) {
      const parentStart = found.get(parent);
      if (found.has(pid) || parentStart === undefined || startOrder < parentStart) continue;
      const present = processes.get(parent);
      // Whoever has the parent's number now, and is older than the child, has to be the one that was found.
      const isOther = present !== undefined && present.startOrder !== parentStart &&
        present.startOrder <= startOrder;
      if (!isOther) found.set(pid, startOrder);
    }
  }
  return [...found.keys()].filter((pid) => {
    const entry = processes.get(pid);
    return entry !== undefined && !entry.zombie && (pid !== root.pid || entry.start === root.start);
  });
}
