import { QueuectlError } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import { delay } from "../../worker/delay.ts";
import { onStopSignal } from "../../worker/signals.ts";
import type { Context } from "../context.ts";
import { createPace } from "../finish_rate.ts";
import { openQueue } from "../open_queue.ts";
import { json } from "../output.ts";
import { queueLines, queueObject } from "../queue_output.ts";
import { print } from "../standard_streams.ts";
import {
  countLines,
  keptBackLines,
  openJobs,
  paceLines,
  statusLine,
  statusObject,
  watchedPaceLines,
  workLine,
  workOf,
} from "../status_lines.ts";
import { fitting } from "../terminal_width.ts";

export interface StatusFlags {
  readonly workers?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** Milliseconds between two looks of `--watch`. */
const interval = 1000;

/** Prints the number of jobs in every state, what keeps them, and who runs them; without workers only with `--workers`. */
export async function status(this: Context, flags: StatusFlags): Promise<void> {
  if (flags.watch && flags.json) {
    throw new QueuectlError("usage", "Flags --watch and --json cannot be given together");
  }
  if (flags.watch && !Deno.stdout.isTerminal()) {
    throw new QueuectlError(
      "usage",
      "Flag --watch needs a terminal to draw on; without one use: queuectl status --json",
    );
  }
  await using store = await openQueue(this, "empty");
  if (flags.watch) return await watch(store);
  const { queues, counts, kept, work } = await look(store);
  if (flags.json) {
    const object = { ...statusObject(counts, kept, work), queues: queues.map(queueObject) };
    return await print(json(object) + "\n");
  }
  const isAtWork = work.workers > 0;
  await print([
    ...countLines(counts),
    ...keptBackLines(kept),
    ...isAtWork || flags.workers ? [workLine(work)] : [],
    ...isAtWork && work.pace !== null ? paceLines(openJobs(counts, kept), work.pace) : [],
    ...queueLines(queues, statusLine),
    "",
  ].join("\n"));
}

async function look(store: Store) {
  const queues = await store.queues();
  const { counts } = queues[0];
  return { queues, counts, kept: await store.keptBack(), work: workOf(await store.processes(), counts) };
}

/** Draws the status anew every second, until Ctrl-C. */
async function watch(store: Store): Promise<void> {
  const stopping = new AbortController();
  const ignoreSignals = onStopSignal(() => stopping.abort());
  const paceAt = createPace();
  try {
    for (let drawn = 0; !stopping.signal.aborted;) {
      const { queues, counts, kept, work } = await look(store);
      const lines = [
        ...countLines(counts),
        ...keptBackLines(kept),
        workLine(work),
        ...watchedPaceLines(paceAt(counts, openJobs(counts, kept), performance.now())),
        ...queueLines(queues, statusLine),
      ];
      const text = (await Array.fromAsync(fitting(lines.map((line) => `${line}\n`)))).join("");
      // Up to where the last one began, and everything below is taken away.
      await print((drawn > 0 ? `\x1b[${drawn}A\x1b[J` : "") + text);
      drawn = lines.length;
      await delay(interval, stopping.signal);
    }
  } finally {
    ignoreSignals();
  }
}
