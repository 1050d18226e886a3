/**
 * The environments of the processes of Windows, read out of their memory, as a debugger does: the system has no other way
 * to ask for them. Offsets are those of 64-bit Windows (winternl.h, and the symbols of ntdll.dll).
 */

import { libraryPath } from "../../src/worker/host/windows/libraries.ts";

const handle = "usize";

const open = () => ({
  kernel32: Deno.dlopen(libraryPath("kernel32.dll"), {
    OpenProcess: { parameters: ["u32", "i32", "u32"], result: handle },
    CloseHandle: { parameters: [handle], result: "i32" },
    ReadProcessMemory: { parameters: [handle, "usize", "buffer", "usize", "buffer"], result: "i32" },
  }).symbols,
  ntdll: Deno.dlopen(libraryPath("ntdll.dll"), {
    NtQuerySystemInformation: { parameters: ["u32", "buffer", "u32", "buffer"], result: "u32" },
    NtQueryInformationProcess: { parameters: [handle, "u32", "buffer", "u32", "buffer"], result: "u32" },
  }).symbols,
});

let libraries: ReturnType<typeof open> | undefined;

/** What was read, by pid and time of creation: reading stops a process for a moment, and many tests look again and again. */
const known = new Map<string, string>();

/** The environment with which each process that may be looked at began, by its pid: `NAME=VALUE`, with a NUL between. */
export function environments(): Map<number, string> {
  libraries ??= open();
  const found = new Map<number, string>();
  for (const { pid, created } of processes(libraries)) {
    const key = `${pid} ${created}`;
    const environment = known.get(key) ?? environmentOf(pid, libraries);
    if (environment === undefined) continue;
    known.set(key, environment);
    found.set(pid, environment);
  }
  return found;
}

function processes({ ntdll }: ReturnType<typeof open>): Array<{ pid: number; created: bigint }> {
  for (let size = 256 * 1024;; size *= 2) {
    const bytes = new Uint8Array(size);
    // 5: SystemProcessInformation; 0xC0000004: STATUS_INFO_LENGTH_MISMATCH.
    const status = ntdll.NtQuerySystemInformation(5, bytes, size, new Uint8Array(4));
    if (status === 0xC0000004) continue;
    if (status !== 0) throw new Error(`NtQuerySystemInformation failed with status ${status}`);
    const view = new DataView(bytes.buffer);
    const all: Array<{ pid: number; created: bigint }> = [];
    for (let at = 0;;) {
      // UniqueProcessId and CreateTime.
      all.push({ pid: Number(view.getBigUint64(at + 80, true)), created: view.getBigInt64(at + 32, true) });
      const next = view.getUint32(at, true);
      if (next === 0) return all;
      at += next;
    }
  }
}

function environmentOf(pid: number, { kernel32, ntdll }: ReturnType<typeof open>): string | undefined {
  // PROCESS_QUERY_INFORMATION and PROCESS_VM_READ
  const process = kernel32.OpenProcess(0x410, 0, pid);
  if (process === 0n) return undefined;
  try {
    const read = (address: bigint, length: number): DataView<ArrayBuffer> | undefined => {
      const bytes = new Uint8Array(length);
      const isRead = kernel32.ReadProcessMemory(process, address, bytes, BigInt(length), new Uint8Array(8));
      return isRead ? new DataView(bytes.buffer) : undefined;
    };
    // PROCESS_BASIC_INFORMATION: the address of the process's block (PEB) is at 8.
    const basic = new Uint8Array(48);
    if (ntdll.NtQueryInformationProcess(process, 0, basic, 48, new Uint8Array(4)) !== 0) return undefined;
    const block = new DataView(basic.buffer).getBigUint64(8, true);
    // PEB.ProcessParameters; of these Environment and EnvironmentSize.
    const parameters = read(block + 0x20n, 8)?.getBigUint64(0, true);
    if (!parameters) return undefined;
    const address = read(parameters + 0x80n, 8)?.getBigUint64(0, true);
    const size = read(parameters + 0x3f0n, 8)?.getBigUint64(0, true);
    if (!address || !size) return undefined;
    const text = read(address, Number(size));
    // Behind its end may be what it was before it was changed.
    return text && new TextDecoder("utf-16le").decode(text).split("\0\0")[0];
  } finally {
    kernel32.CloseHandle(process);
  }
}
