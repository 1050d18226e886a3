/**
 * Asks the processes of a command to end, in a process of its own: whoever sends an event to another console has to leave
 * its own, and loses its outputs with it (learn.microsoft.com/windows/console/attachconsole).
 */

import { closeHandle, jobName, jobProcesses, openJob } from "./job_object.ts";
import { kernel32, user32 } from "./libraries.ts";

/** WM_CLOSE, and CTRL_BREAK_EVENT: processes of a new group ignore Ctrl-C from the start. */
const [closeMessage, breakEvent] = [0x10, 1];

/**
 * Asks commands to end, given by the claim token and the pid of the first process of each, one after the other; what has
 * ended already is no error. Returns the exit status of this process.
 */
export function interruptCommands(words: readonly string[]): number {
  const commands = Array.from({ length: words.length / 2 }, (_, index) => {
    const [claim, pid] = [words[2 * index], Number(words[2 * index + 1])];
    const job = openJob(jobName(claim));
    const processes = job === undefined ? [pid] : jobProcesses(job);
    if (job !== undefined) closeHandle(job);
    return { pid, processes };
  });
  closeWindows(new Set(commands.flatMap(({ processes }) => processes)));
  for (const { pid, processes } of commands) {
    kernel32().FreeConsole();
    // All of them have the same console but those that have made their own or have none; the first may have ended.
    const isAttached = processes.some((process) => kernel32().AttachConsole(process) !== 0);
    if (isAttached) kernel32().GenerateConsoleCtrlEvent(breakEvent, pid);
  }
  return 0;
}

/** Asks every window of these processes to close, as its user would; those of other sessions are not seen. */
function closeWindows(processes: ReadonlySet<number>): void {
  const owner = new Uint32Array(1);
  const bytes = new Uint8Array(owner.buffer);
  for (let window = 0n; (window = user32().FindWindowExW(0n, window, null, null)) !== 0n;) {
    user32().GetWindowThreadProcessId(window, bytes);
    if (processes.has(owner[0])) user32().PostMessageW(window, closeMessage, 0n, 0n);
  }
}
