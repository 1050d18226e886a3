/** The processes of this host, as tests look at them: on Linux through other programs, because /proc may not be read itself. */

import { sendSignal, takeSnapshot } from "../../src/worker/host/processes.ts";
import { waitFor } from "./wait_for.ts";

/** Whether environments of other processes can be seen: only where this is true are leaks found. */
export const canSeeEnvironments = Deno.build.os === "linux" || Deno.build.os === "windows";

async function outputOf(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args, stdin: "null", stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

/** Pids of the processes that have a text in their environment. */
export async function processesWith(text: string): Promise<number[]> {
  if (!canSeeEnvironments) return [];
  if (Deno.build.os === "windows") {
    const { environments } = await import("./windows_environments.ts");
    return [...environments()].filter(([, environment]) => environment.includes(text)).map(([pid]) => pid);
  }
  const found = await outputOf("/bin/sh", "-c", 'grep -lsF -- "$1" /proc/[0-9]*/environ', "sh", text);
  return found.split("\n").filter((line) => line !== "").map((line) => Number(line.split("/")[2]));
}

/** Pids of the processes that were started with exactly this argument. */
export async function processesWithArgument(argument: string): Promise<number[]> {
  const found = await outputOf("/bin/sh", "-c", 'grep -lszxF -e "$1" /proc/[0-9]*/cmdline', "sh", argument);
  return found.split("\n").filter((line) => line !== "").map((line) => Number(line.split("/")[2]));
}

/** What processes are, for the message of a failed test. */
export async function describeProcesses(pids: readonly number[]): Promise<string> {
  if (Deno.build.os === "windows") return pids.join(" ");
  return pids.length === 0 ? "" : await outputOf("ps", "-o", "pid,ppid,stat,args", "-p", pids.join(","));
}

/** Waits until no process has the text in its environment. */
export async function untilNoneWith(text: string): Promise<void> {
  await waitFor(
    `no process with ${text} in its environment`,
    async () => (await processesWith(text)).length === 0,
    async () => describeProcesses(await processesWith(text)),
  );
}

/** Whether there is such a process, and it has not ended. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await takeSnapshot()).processes.get(pid)?.zombie === false;
}

/** Ends a process for certain, and waits until it is gone. */
export async function kill(pid: number): Promise<void> {
  sendSignal(pid, "SIGKILL");
  await waitFor(`the end of process ${pid}`, async () => !await isRunning(pid));
}

/** Ends all processes that have the text in their environment, also those that appear meanwhile. */
export async function killAllWith(text: string): Promise<void> {
  await waitFor(`the end of all processes with ${text}`, async () => {
    const found = await processesWith(text);
    for (const pid of found) sendSignal(pid, "SIGKILL");
    return found.length === 0;
  });
}

/** MiB of memory that a process has now (`VmRSS`) or had at most (`VmHWM`); undefined when it is gone (Linux). */
export async function memoryOf(pid: number, field: "VmRSS" | "VmHWM" = "VmRSS"): Promise<number | undefined> {
  const status = await outputOf("cat", `/proc/${pid}/status`);
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status);
  return match ? Number(match[1]) / 1024 : undefined;
}

/** Seconds of processor time that a process has used (proc_pid_stat(5): utime and stime, in ticks of 10 ms). */
export async function processorTimeOf(pid: number): Promise<number> {
  const stat = await outputOf("cat", `/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
