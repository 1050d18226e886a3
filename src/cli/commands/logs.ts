import { configFrom } from "../../config.ts";
import { QueuectlError } from "../../errors.ts";
import type { JobDetail } from "../../store/progress.ts";
import type { Store } from "../../store/store.ts";
import { boundedText, endsOfPieces } from "../../worker/output.ts";
import { runFiles } from "../../worker/spool.ts";
import { readSpooled } from "../../worker/spool_output.ts";
import type { Context } from "../context.ts";
import { wholeNumber } from "../flag_values.ts";
import { changesOf } from "../follow/changes.ts";
import { followAll } from "../follow/follow_all.ts";
import { followJob } from "../follow/follow_job.ts";
import { lastLines } from "../follow/printed_text.ts";
import { lineSinks, plainSink } from "../follow/sinks.ts";
import { wordsOf } from "../job_filter.ts";
import { tellOfNewQueues } from "../known_words.ts";
import { openQueue } from "../open_queue.ts";
import { printMessage } from "../standard_streams.ts";

/** What `logs` can be given; `follow` has the same but for its own name. */
export interface LogsFlags {
  follow?: boolean;
  all?: boolean;
  queue?: readonly string[];
  stdout?: boolean;
  stderr?: boolean;
  attempt?: string;
  lines?: string;
}

/** Lines that are shown first of a job that runs when all are followed. */
const linesOfEach = 10;

/** Prints what a job has printed: so far where it runs, else in its last run; with `follow` also what it prints next. */
export async function logs(this: Context, flags: LogsFlags, id?: string): Promise<void> {
  if (flags.stdout && flags.stderr) {
    throw wrong("Flags --stdout and --stderr cannot be given together: without them both are printed");
  }
  const several = flags.all ? "--all" : flags.queue ? "--queue" : undefined;
  if (several !== undefined && id !== undefined) throw wrong(`Give the id of a job or ${several}, not both`);
  if (flags.all && flags.queue !== undefined) throw wrong("Give --all or --queue, not both");
  if (several !== undefined && !flags.follow) {
    throw wrong(`Flag ${several} needs --follow: it shows what jobs print from now on`);
  }
  if (several !== undefined && flags.attempt !== undefined) {
    throw wrong(`Flags ${several} and --attempt cannot be given together`);
  }
  if (several === undefined && id === undefined) {
    throw wrong(`Argument ID is missing; give the id of a job${flags.follow ? ", --all or --queue" : ""}`);
  }
  const queues = flags.queue && wordsOf("queue", flags.queue);
  const lines = flags.lines === undefined ? undefined : count("lines", flags.lines, 0);
  const attempt = flags.attempt === undefined ? undefined : count("attempt", flags.attempt, 1);
  await using store = await openQueue(this, "empty");
  if (id === undefined) await followEach(store, flags, lines, queues);
  else await printJob(store, flags, id, lines, attempt);
}

/** `logs --follow`. */
export async function follow(this: Context, flags: Omit<LogsFlags, "follow">, id?: string): Promise<void> {
  await logs.call(this, { ...flags, follow: true }, id);
}

const wrong = (message: string) => new QueuectlError("usage", message);

const count = (flag: string, text: string, minimum: number) =>
  wholeNumber(flag, text, { minimum, maximum: 999_999_999, default: minimum });

async function followEach(
  store: Store,
  flags: LogsFlags,
  lines = linesOfEach,
  queues?: readonly string[],
): Promise<void> {
  if (!store.exists) throw new QueuectlError("not_found", `There is no queue in ${store.location} yet`);
  using changes = changesOf(store);
  await followAll(store, changes, lineSinks(flags), lines, queues, () => tellOfNewQueues(store, queues));
}

async function printJob(
  store: Store,
  flags: LogsFlags,
  id: string,
  lines: number | undefined,
  attempt: number | undefined,
): Promise<void> {
  const detail = await store.detail(id);
  const only = attempt === undefined ? undefined : runOfAttempt(detail, attempt);
  const sink = plainSink(flags);
  if (flags.follow) {
    using changes = changesOf(store);
    await followJob(store, changes, detail, sink, { lines, only });
    return;
  }
  const printed = await printedBy(store, detail, only);
  if (!printed) return printMessage(`Job ${detail.id} has not run yet.`);
  const shown = (text: string) => lines === undefined ? text : lastLines(text, lines);
  await sink.write("out", shown(printed.output));
  await sink.write("err", shown(printed.errorOutput));
}

/** The newest run of a job that has this number of an attempt. Throws `not_found`. */
function runOfAttempt({ id, state, attempts, run, runs }: JobDetail, attempt: number): number {
  if (state === "processing" && attempts === attempt) return run;
  const found = runs.findLast(({ number }) => number === attempt);
  if (found) return found.run;
  const numbers = [...new Set(runs.map(({ number }) => number))];
  if (state === "processing") numbers.push(attempts);
  throw new QueuectlError(
    "not_found",
    `Job ${id} has no attempt ${attempt}${numbers.length === 0 ? " yet" : `, it has ${numbers.join(", ")}`}`,
  );
}

/** Null for a job that has not run yet. */
async function printedBy(
  store: Store,
  { seq, run }: JobDetail,
  only = run,
): Promise<{ output: string; errorOutput: string } | null> {
  const { maxOutput } = configFrom(await store.settings());
  for (;;) {
    const ended = await store.runAfter(seq, only - 1);
    if (ended?.run === only || only === 0) return ended;
    // It runs here, or the store has what its worker has sent.
    const spooled = readSpooled(runFiles(store.spool, seq, only), maxOutput);
    if (spooled) return spooled;
    const pieces = await store.keptOutput(seq, only);
    const textOf = (stream: "out" | "err") =>
      boundedText(endsOfPieces(pieces.filter((piece) => piece.stream === stream)), maxOutput);
    // Where it has ended meanwhile there is nothing left of it, and its result is in the store.
    if (pieces.length > 0 || await store.isRunning(seq, only)) {
      return { output: textOf("out"), errorOutput: textOf("err") };
    }
    if ((await store.progress([seq])).length === 0) return null;
  }
}
