import { configFrom } from "../../config.ts";
import { QueuectlError } from "../../errors.ts";
import { checkNewJob, withDefaults } from "../../job/new_job.ts";
import { commandOfWords, windowsCommandOfWords } from "../../job/shell_words.ts";
import type { Store } from "../../store/store.ts";
import { delay } from "../../worker/delay.ts";
import type { Context } from "../context.ts";
import { changesOf } from "../follow/changes.ts";
import { followJob } from "../follow/follow_job.ts";
import { plainSink } from "../follow/sinks.ts";
import { exitStatusOf } from "../follow/words.ts";
import { openQueue } from "../open_queue.ts";
import { printMessage } from "../standard_streams.ts";

/** The exit status after Ctrl-C, as of every program that it ends. */
const interrupted = 130;
/** Milliseconds within which a second Ctrl-C cancels the job. */
const secondThought = 2000;

/** (new) → pending; follows the job until it has ended for good. The exit status is its own. */
export async function run(this: Context, _flags: Record<never, never>, ...words: string[]): Promise<void> {
  const command = commandOf(words, this.hasSeparator);
  const checked = checkNewJob({ command, cwd: Deno.cwd() }, (cwd) => cwd);
  await using store = await openQueue(this, "create");
  await store.enqueue([withDefaults(checked, configFrom(await store.settings()))]);
  this.process.exitCode = await followToEnd(store, checked.id);
}

/** Shell text where it is one argument, else the words as they are. Throws `usage` when there are none. */
function commandOf(words: readonly string[], hasSeparator: boolean): string {
  if (words.length === 0) {
    throw new QueuectlError("usage", "The command is missing; give it like: queuectl run -- make -j4");
  }
  if (words.length === 1 && !hasSeparator) return words[0];
  return Deno.build.os === "windows" ? windowsCommandOfWords(words) : commandOfWords(words);
}

async function followToEnd(store: Store, id: string): Promise<number> {
  const interrupts = onInterrupt();
  using changes = changesOf(store);
  const detached = new AbortController();
  interrupts.next().then(() => {
    detached.abort();
    changes.hurry();
  });
  try {
    const [found] = await store.find([id]);
    const job = await followJob(store, changes, found, plainSink({}), {
      quiet: true,
      signal: detached.signal,
    });
    if (detached.signal.aborted) return await detach(store, id, interrupts.next);
    return exitStatusOf(job.state, (await store.detail(id)).runs.at(-1));
  } finally {
    interrupts.end();
  }
}

/** Says how to go on with a job that is not followed any more; cancels it after a second Ctrl-C. */
async function detach(store: Store, id: string, next: () => Promise<void>): Promise<number> {
  printMessage(
    `Job ${id} goes on. Follow it: queuectl logs -f ${id}\nCancel it: Ctrl-C again now, or queuectl cancel ${id}`,
  );
  const waited = new AbortController();
  const isCancelled = await Promise.race([
    next().then(() => true),
    delay(secondThought, waited.signal).then(() => false),
  ]);
  waited.abort();
  if (isCancelled) {
    const [{ running }] = await store.cancel([id]);
    printMessage(running ? `Job ${id} runs and is being ended.` : `Job ${id} cancelled.`);
  }
  return interrupted;
}

/** Takes Ctrl-C from the system: each one resolves one promise that `next` gives. */
function onInterrupt(): { next: () => Promise<void>; end: () => void } {
  const waiting: Array<() => void> = [];
  let missed = 0;
  const handler = () => {
    const resolve = waiting.shift();
    if (resolve) resolve();
    else missed++;
  };
  Deno.addSignalListener("SIGINT", handler);
  return {
    next() {
      if (missed > 0) {
        missed--;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    end: () => Deno.removeSignalListener("SIGINT", handler),
  };
}
