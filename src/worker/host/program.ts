/** How this program starts itself. */

import { libraryNames, libraryPath } from "./windows/libraries.ts";

/** The permissions that queuectl needs everywhere; the compiled program has its permissions built in. */
export const commonPermissions: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys=hostname,uid",
  // For PostgreSQL, which can be anywhere; a queue in a SQLite file opens no connection.
  "--allow-net",
];

/** Those with which it runs from source on this system: FFI on Windows alone, and for the system's own libraries alone. */
export const permissions: readonly string[] = Deno.build.os === "windows"
  ? [...commonPermissions, `--allow-ffi=${libraryNames.map(libraryPath).join(",")}`]
  : commonPermissions;

/** Gives up the network for the rest of this process: a queue in a file, which only this host has, needs none. */
export function giveUpNetwork(): void {
  Deno.permissions.revokeSync({ name: "net" });
}

/**
 * A worker makes much garbage that is soon none: V8 would let the memory for it grow to a hundred megabytes, and is no
 * slower with little, nor where it is to spare memory in all else. The compiled program has it built in.
 */
export const engineFlags = "--v8-flags=--max-semi-space-size=2,--optimize-for-size";

/** The command and first arguments that start this program: the executable itself, or Deno with the source. */
export function ownProgram(): { command: string; args: string[] } {
  const command = Deno.execPath();
  if (Deno.build.standalone) return { command, args: [] };
  return {
    command,
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      engineFlags,
      ...permissions,
      import.meta.resolve("../../main.ts"),
    ],
  };
}
