import { QueuectlError } from "../../base/errors.ts";
import type { Queue } from "../../store/queues.ts";
import type { Store } from "../../store/store.ts";
import { delay } from "../../base/delay.ts";
import { onStopSignal } from "../../worker/host/signals.ts";
import type { Context, DatabaseChoice } from "../context.ts";
import { plainWidth, widthFor } from "../output/cell_width.ts";
import { createPace } from "../output/finish_rate.ts";
import { openQueue } from "../open_queue.ts";
import { json } from "../output/output.ts";
import { queueLines, queueObject } from "../output/queue_output.ts";
import { print } from "../output/standard_streams.ts";
import {
  countLines,
  keptBackLines,
  type Line,
  openJobs,
  paceLines,
  statusLine,
  statusObject,
  watchedPaceLines,
  workLine,
  workOf,
} from "../output/status_lines.ts";
import { fitToRows, rowsOf } from "../output/status_screen.ts";
import { fittedLine, terminalSize } from "../output/terminal_width.ts";

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
  if (flags.watch) return await watch(this);
  await using store = await openQueue(this, "empty");
  const { queues, counts, kept, work } = await look(store);
  if (flags.json) {
    const object = { ...statusObject(counts, kept, work), queues: queues.map(queueObject) };
    return await print(json(object) + "\n");
  }
  const { line } = await linesFor(queues, terminalSize()?.columns);
  const isAtWork = work.workers > 0;
  await print([
    ...countLines(counts, line),
    ...keptBackLines(kept, line),
    ...isAtWork || flags.workers ? [workLine(work, line)] : [],
    ...isAtWork && work.pace !== null ? paceLines(openJobs(counts, kept), work.pace, line) : [],
    ...queueLines(queues, line),
    "",
  ].join("\n"));
}

async function look(store: Store) {
  const queues = await store.queues();
  const { counts } = queues[0];
  return { queues, counts, kept: await store.keptBack(), work: workOf(await store.processes(), counts) };
}

/** How lines are written, and how wide they are: no wider than the terminal, where there is one. */
async function linesFor(queues: readonly Queue[], width: number | undefined) {
  if (width === undefined) return { line: statusLine, widthOf: plainWidth };
  const widthOf = await widthFor(queues.map(({ name }) => name));
  const line: Line = (title, text) => fittedLine(title, text, width, widthOf);
  return { line, widthOf };
}

/** Draws the status anew every second, until Ctrl-C; also of a queue that is made, or put into its place, meanwhile. */
async function watch(choice: DatabaseChoice): Promise<void> {
  let store = await openQueue(choice, "empty");
  await using stack = new AsyncDisposableStack();
  stack.defer(() => store[Symbol.asyncDispose]());
  const stopping = new AbortController();
  const ignoreSignals = onStopSignal(() => stopping.abort());
  const paceAt = createPace();
  try {
    for (let drawn: string[] = []; !stopping.signal.aborted;) {
      if (!store.exists || !store.isInPlace()) {
        const made = await openQueue(choice, "empty");
        await store[Symbol.asyncDispose]();
        store = made;
      }
      const { queues, counts, kept, work } = await look(store);
      const pace = paceAt(counts, openJobs(counts, kept), performance.now());
      const { columns, rows } = terminalSize() ?? { columns: undefined, rows: Infinity };
      const { line, widthOf } = await linesFor(queues, columns);
      const lines = fitToRows(
        [
          ...countLines(counts, line),
          ...keptBackLines(kept, line),
          workLine(work, line),
          ...watchedPaceLines(pace, line),
        ],
        queueLines(queues, line),
        rows,
      );
      // Up to where the last one began, and everything below is taken away.
      const up = Math.min(rows - 1, rowsOf(drawn, columns ?? Infinity, widthOf));
      await print((up > 0 ? `\x1b[${up}A\x1b[J` : "") + lines.map((line) => `${line}\n`).join(""));
      drawn = lines;
      await delay(interval, stopping.signal);
    }
  } finally {
    ignoreSignals();
  }
}
