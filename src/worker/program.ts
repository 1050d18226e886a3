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

/** The command and first arguments that start this program: the executable itself, or Deno with the source. */
export function ownProgram(): { command: string; args: string[] } {
  const command = Deno.execPath();
  if (Deno.build.standalone) return { command, args: [] };
  return {
    command,
    args: ["run", "--no-prompt", "--quiet", ...permissions, import.meta.resolve("../main.ts")],
  };
}
