/** Places at which tests can have this program killed, to show that nothing depends on what comes after them. */

/** Every place, in the order of a job's life; then those of a move. */
export type Failpoint =
  | "migration"
  | "enqueue"
  | "claimed"
  | "started"
  | "ended"
  | "recording"
  | "recorded"
  | "taken-over"
  | "recovered"
  | "moving"
  | "loaded"
  | "sealed"
  | "arrived"
  | "emptying";

// Not in the compiled program: there nothing but its work can end it.
const setting = Deno.build.standalone ? undefined : Deno.env.get("QUEUECTL_FAILPOINT");

/**
 * Kills this process as `kill -9` does, when `QUEUECTL_FAILPOINT` is `NAME=FILE` with the name of this place and a
 * file that does not exist yet: it is made, so that each is passed once only.
 */
export function failpoint(name: Failpoint): void {
  if (setting === undefined || !setting.startsWith(`${name}=`)) return;
  try {
    Deno.openSync(setting.slice(name.length + 1), { write: true, createNew: true }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
  Deno.kill(Deno.pid, "SIGKILL");
}
