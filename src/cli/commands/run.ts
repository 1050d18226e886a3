import { pathResolver } from "../../base/absolute_path.ts";
import { allowances, configFrom } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import { checkNewJob, withDefaults } from "../../job/new_job.ts";
import type { Store } from "../../store/store.ts";
import { delay } from "../../base/delay.ts";
import { announceReader, type OutputReader } from "../../worker/spool/output_readers.ts";
import type { Context } from "../context.ts";
import { type FieldFlags, fieldsOfFlags } from "../arguments/enqueue_fields.ts";
import { formOf } from "../arguments/enqueue_form.ts";
import { changesOf } from "../follow/changes.ts";
import { followJob } from "../follow/follow_job.ts";
import { jsonSink } from "../follow/json_sink.ts";
import { plainSink } from "../follow/sinks.ts";
import { endObject, exitStatusOf, hasEnded } from "../follow/describe_end.ts";
import { interrupted, onInterrupt } from "../interrupts.ts";
import { openQueue } from "../open_queue.ts";
import { json } from "../output/output.ts";
import { OutputError, print, printMessage } from "../output/standard_streams.ts";
import { describe, warnOfFolder } from "./enqueue.ts";
import { warnOfCommand } from "./enqueue_one.ts";

/** Milliseconds within which a second Ctrl-C cancels the job. */
const secondThought = 2000;

/** The exit status when the reader of standard output has gone, as of a program that SIGPIPE ends. */
const unread = 141;

/** That of a job that is completed, when not all that it has printed could be given. */
const incomplete = 125;

/** What `run` takes. */
export interface RunFlags extends FieldFlags {
  json?: boolean;
}

/** (new) → pending; follows the job until it has ended for good. The exit status is its own. */
export async function run(this: Context, flags: RunFlags, ...args: string[]): Promise<void> {
  const form = formOf(args, this.behindSeparator, undefined, "run");
  if (form.kind === "lines") {
    throw new QueuectlError("usage", "One command can be followed, not those of many lines");
  }
  // Before the database is opened: a mistake must not leave an empty one behind.
  const fields = fieldsOfFlags(flags);
  const absolute = await pathResolver();
  const checked = checkNewJob(describe(form, fields), absolute);
  warnOfFolder(fields.cwd, absolute);
  await using store = await openQueue(this, "create");
  // Before a worker can have run it.
  using reader = announceReader(store.spool, checked.id, allowances(this.allowed).allowShared);
  const { settings, queues } = await store.enqueueDefaults();
  const [{ id, existing }] = await store.enqueue([withDefaults(checked, configFrom(settings), queues)]);
  if (existing) printMessage(`Job ${id} is in the queue already.`);
  await warnOfCommand(checked.command);
  using other = existing ? announceReader(store.spool, id, allowances(this.allowed).allowShared) : undefined;
  this.process.exitCode = await followToEnd(store, id, other ?? reader, flags.json);
}

async function followToEnd(
  store: Store,
  id: string,
  output: OutputReader,
  asJson = false,
): Promise<number> {
  using interrupts = onInterrupt();
  using changes = changesOf(store);
  const detached = new AbortController();
  interrupts.next().then(() => {
    detached.abort();
    changes.hurry();
  });
  const [found] = await store.find([id]);
  try {
    const job = await followJob(store, changes, found, asJson ? jsonSink(id, {}) : plainSink({}), {
      quiet: true,
      signal: detached.signal,
      output,
    });
    if (detached.signal.aborted) return await detach(store, id, interrupts.next);
    const last = (await store.detail(id)).runs.at(-1);
    if (asJson) await print(json(endObject(job, last)) + "\n");
    return exitStatusOf(job.state, last) || (job.leftOut > 0 ? incomplete : 0);
  } catch (error) {
    if (!(error instanceof OutputError && error.closed)) throw error;
    return await leaveUnread(store, id);
  }
}

/** Nobody reads what the job prints any more, which is no end of the job. */
async function leaveUnread(store: Store, id: string): Promise<number> {
  const { state, runs } = await store.detail(id);
  if (hasEnded(state)) return exitStatusOf(state, runs.at(-1));
  printMessage(`Job ${id} continues. Follow it: queuectl logs -f ${id}`);
  return unread;
}

/** Says how to go on with a job that is not followed any more; cancels it after a second Ctrl-C. */
async function detach(store: Store, id: string, next: () => Promise<void>): Promise<number> {
  printMessage(
    `Job ${id} continues. Follow it: queuectl logs -f ${id}\nCancel it: Ctrl-C again now, or queuectl cancel ${id}`,
  );
  const waited = new AbortController();
  const isCancelled = await Promise.race([
    next().then(() => true),
    delay(secondThought, waited.signal).then(() => false),
  ]);
  waited.abort();
  if (isCancelled) {
    printMessage(await cancelled(store, id));
  }
  return interrupted;
}

/** Cancels a job that perhaps has ended meanwhile; gives the words for it. */
async function cancelled(store: Store, id: string): Promise<string> {
  try {
    const { running } = await store.cancel([id]);
    return running.length > 0 ? `Cancelling job ${id}.` : `Job ${id} cancelled.`;
  } catch (error) {
    if (!(error instanceof QueuectlError && error.code === "conflict")) throw error;
    return `Job ${id} has ended.`;
  }
}
