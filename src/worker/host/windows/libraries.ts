/**
 * The functions of Windows that Deno does not offer, called by Deno's FFI. A library is loaded when it is first used: on
 * other systems never, on Windows only where processes are looked at, started or ended.
 *
 * Handles and addresses in structures are `usize` (bigint here); 0 is none. Sizes and offsets of structures are
 * those of 64-bit Windows, the same on x86_64 and aarch64 (both LLP64).
 */

import { QueuectlError } from "../../../base/errors.ts";

/** The libraries, by the names of their files in the system's folder. */
export const libraryNames = ["kernel32.dll", "ntdll.dll", "user32.dll"] as const;

/** The path of a library: by a bare name Windows would look in other folders too. */
export function libraryPath(name: typeof libraryNames[number]): string {
  return `${systemFolder()}\\${name}`;
}

/** `C:\Windows\System32`, wherever Windows is. */
export function systemFolder(): string {
  return `${Deno.env.get("SystemRoot") ?? "C:\\Windows"}\\System32`;
}

const handle = "usize";
const address = "pointer";

/** Processes, jobs, files, consoles. Documented at learn.microsoft.com/windows/win32/api. */
export const kernel32 = once(() =>
  Deno.dlopen(libraryPath("kernel32.dll"), {
    CloseHandle: { parameters: [handle], result: "i32" },
    GetLastError: { parameters: [], result: "u32" },
    GetOEMCP: { parameters: [], result: "u32" },

    CreateFileW: {
      parameters: ["buffer", "u32", "u32", "buffer", "u32", "u32", handle],
      result: handle,
    },

    OpenProcess: { parameters: ["u32", "i32", "u32"], result: handle },
    GetCurrentProcess: { parameters: [], result: handle },
    GetProcessTimes: { parameters: [handle, "buffer", "buffer", "buffer", "buffer"], result: "i32" },
    QueryFullProcessImageNameW: { parameters: [handle, "u32", "buffer", "buffer"], result: "i32" },
    WaitForSingleObject: { parameters: [handle, "u32"], result: "u32" },
    TerminateProcess: { parameters: [handle, "u32"], result: "i32" },
    DuplicateHandle: { parameters: [handle, handle, handle, "buffer", "u32", "i32", "u32"], result: "i32" },

    LocalAlloc: { parameters: ["u32", "usize"], result: handle },
    LocalFree: { parameters: [handle], result: handle },
    RtlMoveMemory: { parameters: [handle, "buffer", "usize"], result: "void" },

    InitializeProcThreadAttributeList: { parameters: [handle, "u32", "u32", "buffer"], result: "i32" },
    UpdateProcThreadAttribute: {
      parameters: [handle, "u32", "usize", handle, "usize", address, address],
      result: "i32",
    },
    CreateProcessW: {
      parameters: [
        "buffer",
        "buffer",
        address,
        address,
        "i32",
        "u32",
        "buffer",
        "buffer",
        "buffer",
        "buffer",
      ],
      result: "i32",
    },
    ResumeThread: { parameters: [handle], result: "u32" },

    CreateJobObjectW: { parameters: [address, "buffer"], result: handle },
    OpenJobObjectW: { parameters: ["u32", "i32", "buffer"], result: handle },
    SetInformationJobObject: { parameters: [handle, "i32", "buffer", "u32"], result: "i32" },
    QueryInformationJobObject: { parameters: [handle, "i32", "buffer", "u32", address], result: "i32" },
    TerminateJobObject: { parameters: [handle, "u32"], result: "i32" },

    AttachConsole: { parameters: ["u32"], result: "i32" },
    FreeConsole: { parameters: [], result: "i32" },
    SetConsoleCtrlHandler: { parameters: [address, "i32"], result: "i32" },
    GenerateConsoleCtrlEvent: { parameters: ["u32", "u32"], result: "i32" },
  }).symbols
);

/** What kernel32 does not tell of processes in one call. */
export const ntdll = once(() =>
  Deno.dlopen(libraryPath("ntdll.dll"), {
    NtQuerySystemInformation: { parameters: ["u32", "buffer", "u32", "buffer"], result: "u32" },
    NtResumeProcess: { parameters: [handle], result: "u32" },
  }).symbols
);

/** Windows on the desktop. */
export const user32 = once(() =>
  Deno.dlopen(libraryPath("user32.dll"), {
    FindWindowExW: { parameters: [handle, handle, address, address], result: handle },
    GetWindowThreadProcessId: { parameters: [handle, "buffer"], result: "u32" },
    PostMessageW: { parameters: [handle, "u32", "usize", "isize"], result: "i32" },
  }).symbols
);

/** A text as Windows takes it: UTF-16 with a NUL at its end. */
export function wideText(text: string): Uint8Array<ArrayBuffer> {
  const units = new Uint16Array(text.length + 1);
  for (let index = 0; index < text.length; index++) units[index] = text.charCodeAt(index);
  return new Uint8Array(units.buffer);
}

/** Throws `usage` where it may not be loaded: that does not change while this program runs. */
function once<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => {
    try {
      return loaded ??= load();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      const message = `From source queuectl needs --allow-ffi=${libraryNames.map(libraryPath).join(",")}`;
      throw new QueuectlError("usage", message, { cause: error });
    }
  };
}
