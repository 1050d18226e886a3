import { QueuectlError } from "../../errors.ts";
import { type JobState, jobStates } from "../../job/job.ts";
import type { Queue } from "../../store/queues.ts";
import type { RegisteredProcess, Store } from "../../store/store.ts";
import { delay } from "../../worker/delay.ts";
import { onStopSignal } from "../../worker/signals.ts";
import type { Context } from "../context.ts";
import { plainWidth, widthFor } from "../cell_width.ts";
import { createPace, type Pace } from "../finish_rate.ts";
import { openQueue } from "../open_queue.ts";
import { json, rough } from "../output.ts";
import { queueLines, queueObject } from "../queue_output.ts";
import { print } from "../standard_streams.ts";
import { fitToRows, rowsOf } from "../status_screen.ts";
import { fittedLine, terminalSize } from "../terminal_width.ts";

export interface StatusFlags {
  readonly workers?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** Milliseconds between two looks of `--watch`. */
const interval = 1000;

/** Prints the number of jobs in every state, and with `--workers` who runs them. */
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
  const queues = await store.queues();
  const { counts } = queues[0];
  const slots = flags.workers ? slotsOf(await store.processes(), counts) : undefined;
  if (flags.json) {
    const object = {
      ...Object.fromEntries(jobStates.map((state) => [state, counts[state]])),
      ...slots,
      queues: queues.map(queueObject),
    };
    return await print(json(object) + "\n");
  }
  const { line } = await linesFor(queues, terminalSize()?.columns);
  const shown = [...countLines(counts, line), ...slots ? [slotLine(slots, line)] : []];
  await print([...shown, ...queueLines(queues, line), ""].join("\n"));
}

/** The lines of the original; cancelled jobs, which it does not know, have one only where there are such. */
function countLines(counts: Record<JobState, number>, line: Line): string[] {
  const shown = jobStates.filter((state) => state !== "cancelled" || counts.cancelled > 0);
  return ["Queue Status:", ...shown.map((state) => line(state, String(counts[state])))];
}

type Line = (title: string, text: string) => string;

/** How lines are written, and how wide they are: no wider than the terminal, where there is one. */
async function linesFor(queues: readonly Queue[], width: number | undefined) {
  if (width === undefined) {
    return { line: (title: string, text: string) => `  ${title.padEnd(10)} : ${text}`, widthOf: plainWidth };
  }
  const widthOf = await widthFor(queues.map(({ name }) => name));
  return { line: (title: string, text: string) => fittedLine(title, text, width, widthOf), widthOf };
}

/** The workers that are there, what they can run side by side, and what runs. */
function slotsOf(processes: readonly RegisteredProcess[], counts: Record<JobState, number>) {
  const workers = processes.filter(({ role, expired }) => role === "worker" && !expired);
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  return { workers: workers.length, slots, slots_in_use: Math.min(counts.processing, slots) };
}

const slotLine = ({ workers, slots, slots_in_use }: ReturnType<typeof slotsOf>, line: Line) =>
  line("workers", `${workers}, ${slots_in_use} of ${slots} slots in use`);

function paceLines({ finished, over, left }: Pace, line: Line): string[] {
  const since = over >= 59_000 ? "the last minute" : rough(over);
  return [
    line("finished", over < 1000 ? "-" : `${finished} in ${since}`),
    line("time left", left === null ? "-" : left === 0 ? "none" : `about ${rough(left)}`),
  ];
}

/** Draws the status anew every second, until Ctrl-C. */
async function watch(store: Store): Promise<void> {
  const stopping = new AbortController();
  const ignoreSignals = onStopSignal(() => stopping.abort());
  const paceAt = createPace();
  try {
    for (let drawn: string[] = []; !stopping.signal.aborted;) {
      const queues = await store.queues();
      const { counts } = queues[0];
      const slots = slotsOf(await store.processes(), counts);
      const pace = paceAt(counts, performance.now());
      const { columns, rows } = terminalSize() ?? { columns: undefined, rows: Infinity };
      const { line, widthOf } = await linesFor(queues, columns);
      const lines = fitToRows(
        [...countLines(counts, line), slotLine(slots, line), ...paceLines(pace, line)],
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
