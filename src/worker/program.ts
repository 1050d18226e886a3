/** How this program starts itself. */

/** The permissions that queuectl runs with from source; the compiled program has them built in. No FFI. */
export const permissions: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys=hostname",
  // For PostgreSQL, which can be anywhere; a queue in a SQLite file opens no connection.
  "--allow-net",
];

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
    args: ["run", "--no-prompt", "--quiet", engineFlags, ...permissions, import.meta.resolve("../main.ts")],
  };
}
