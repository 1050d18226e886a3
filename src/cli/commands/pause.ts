import { QueuectlError } from "../../base/errors.ts";
import { defaultQueueName } from "../../job/job.ts";
import { allQueues } from "../../store/queues.ts";
import type { Store } from "../../store/store.ts";
import { tellReached } from "./change_jobs.ts";
import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { counted, json } from "../output/output.ts";
import { queueName } from "../arguments/queue_name.ts";
import { print, printLines, printMessage } from "../output/standard_streams.ts";

export interface PauseFlags {
  /** Also stops the commands that run, or lets them go on. */
  readonly commands?: boolean;
  readonly json?: boolean;
}

/** Nothing of these queues is started any more; without a name, nothing at all. What runs goes on, or is stopped. */
export async function pause(this: Context, flags: PauseFlags, ...names: string[]): Promise<void> {
  const queues = [...new Set(names.map((name) => queueName(name)))];
  if (flags.commands) requireSignals("pause");
  // Other queues than those of a new database are a mistake there, which must not leave one behind.
  const isOfAny = queues.every((name) => name === defaultQueueName);
  await using store = await openQueue(this, isOfAny ? "create" : "empty");
  await store.pauseQueues(queues.length > 0 ? queues : [allQueues], true);
  // Only now: what is claimed before the pause runs, so it is reached, and afterwards nothing is claimed.
  const stopped = flags.commands ? await signalRunning(store, queues, "SIGSTOP") : null;
  const later = await laterWords(store, stopped);
  if (flags.json) return await print(answer(true, queues, stopped));
  const rest = (index: number) =>
    stopped === null ? "" : `; ${counted(stopped[index].length, "command")} ${later}suspended`;
  if (queues.length > 0) {
    return await printLines(...queues.map((name, index) => `Queue ${name} paused${rest(index)}.`));
  }
  await printLines(
    stopped === null
      ? "All queues paused; running jobs continue, no others start."
      : `All queues paused${rest(0)}.`,
  );
}

/** These queues go on; without a name, all. Commands that were stopped go on where that is asked for. */
export async function resume(this: Context, flags: PauseFlags, ...names: string[]): Promise<void> {
  const queues = [...new Set(names.map((name) => queueName(name)))];
  if (flags.commands) requireSignals("resume");
  await using store = await openQueue(this, "empty");
  const known = await store.queues();
  const paused = known.filter(({ paused }) => paused).map(({ name }) => name);
  await store.pauseQueues(queues.length > 0 ? queues : paused, false);
  const stopped = flags.commands ? [] : (await store.upcoming(0)).running.filter(({ stopped }) => stopped);
  const continued = flags.commands ? await signalRunning(store, queues, "SIGCONT") : null;
  const later = await laterWords(store, continued);
  if (flags.json) return await print(answer(false, queues, continued));
  const did = (name: string, index: number) => {
    if (continued !== null) return `; ${counted(continued[index].length, "command")} ${later}resumed`;
    const count = stopped.filter(({ queue }) => name === allQueues || queue === name).length;
    if (count === 0) return "";
    const command = ["queuectl resume", ...name === allQueues ? [] : [name], "--commands"].join(" ");
    return `; ${counted(count, "command")} still suspended; resume: ${command}`;
  };
  if (queues.length === 0) return await printLines(`All queues resumed${endOfLine(did(allQueues, 0))}`);
  await printLines(...queues.map((name, index) => `Queue ${name} resumed${endOfLine(did(name, index))}`));
  if (paused.includes(allQueues)) {
    printMessage("No job starts yet: all queues together are paused; resume them: queuectl resume");
  }
}

/** `will be ` where no worker runs, which is said too. */
const laterWords = async (store: Store, signalled: string[][] | null) =>
  await tellReached(store, signalled?.flat().length ?? 0) ? "" : "will be ";

/** Without a full stop behind a command, which may be copied from there. */
const endOfLine = (words: string) => words.endsWith("--commands") ? words : `${words}.`;

function requireSignals(command: string): void {
  if (Deno.build.os !== "windows") return;
  throw new QueuectlError(
    "usage",
    `Windows cannot suspend commands; without --commands "queuectl ${command}" works`,
  );
}

/** Sends a signal to all that runs in each of the queues, or in any; the ids of the jobs, by queue. */
async function signalRunning(store: Store, queues: readonly string[], signal: string): Promise<string[][]> {
  if (queues.length === 0) return [(await store.signal({ kinds: ["processing"] }, signal)).ids];
  const signalled: string[][] = [];
  for (const queue of queues) {
    signalled.push((await store.signal({ kinds: ["processing"], queues: [queue] }, signal)).ids);
  }
  return signalled;
}

/** What was done; without names to all queues. */
const answer = (paused: boolean, queues: readonly string[], signalled: string[][] | null) =>
  json({ paused, queues: queues.length > 0 ? queues : null, commands: signalled?.flat() ?? null }) + "\n";
