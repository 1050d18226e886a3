import { allowances, configFrom } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import type { JobDetail } from "../../store/progress.ts";
import type { Store } from "../../store/store.ts";
import { delay } from "../../base/delay.ts";
import { hostText } from "../../worker/spool/host_text.ts";
import { boundedText, endsOfPieces } from "../../worker/spool/output.ts";
import { announceReader } from "../../worker/spool/output_readers.ts";
import { runFiles } from "../../worker/spool/spool.ts";
import { readSpooled } from "../../worker/spool/spool_output.ts";
import type { Context, DatabaseChoice } from "../context.ts";
import { wholeNumber } from "../arguments/flag_values.ts";
import { changesOf } from "../follow/changes.ts";
import { type AllSinks, followAll } from "../follow/follow_all.ts";
import { followJob } from "../follow/follow_job.ts";
import { lastLines } from "../follow/printed_text.ts";
import { jsonSink, printedObject } from "../follow/json_sink.ts";
import { isChosen, lineSinks, plainSink } from "../follow/sinks.ts";
import { wordsOf } from "../arguments/job_filter.ts";
import { tellOfNewQueues } from "../arguments/unknown_names.ts";
import { openQueue } from "../open_queue.ts";
import { jsonArray } from "../output/output.ts";
import { printAll, printMessage } from "../output/standard_streams.ts";

/** What `logs` and `follow` can be given. */
export interface LogsFlags {
  follow?: boolean;
  all?: boolean;
  queue?: readonly string[];
  stdout?: boolean;
  stderr?: boolean;
  attempt?: string;
  lines?: string;
  json?: boolean;
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
  // First: what was taken for the number of lines may be the id.
  const lines = flags.lines === undefined ? undefined : count("lines (-n)", flags.lines, 0);
  if (several === undefined && id === undefined) {
    throw wrong(`Argument ID is missing; give the id of a job${flags.follow ? ", --all or --queue" : ""}`);
  }
  const queues = flags.queue && wordsOf("queue", flags.queue);
  const attempt = flags.attempt === undefined ? undefined : count("attempt", flags.attempt, 1);
  await using store = await openQueue(this, "empty");
  if (id === undefined) await followEach(this, store, flags, lines, queues);
  else await printJob(this, store, flags, id, lines, attempt);
}

/** `logs --follow`; it may be said once more. */
export async function follow(this: Context, flags: LogsFlags, id?: string): Promise<void> {
  await logs.call(this, { ...flags, follow: true }, id);
}

const wrong = (message: string) => new QueuectlError("usage", message);

const count = (flag: string, text: string, minimum: number) =>
  wholeNumber(flag, text, { minimum, maximum: 999_999_999, default: minimum });

async function followEach(
  choice: DatabaseChoice,
  store: Store,
  flags: LogsFlags,
  lines = linesOfEach,
  queues?: readonly string[],
): Promise<void> {
  const isThere = store.exists;
  if (!isThere) {
    printMessage(`There is no queue in ${store.location} yet; the output of its jobs will appear here`);
  }
  await using made = isThere ? undefined : await whenMade(choice);
  const followed = made ?? store;
  using changes = changesOf(followed);
  const sinks = flags.json ? jsonSinks(flags) : lineSinks(flags);
  // Of a queue that was not there before every run is new.
  const begun = () => tellOfNewQueues(followed, queues);
  using output = announceReader(followed.spool, null, allowances(choice.allowed).allowShared);
  await followAll(followed, changes, sinks, { lines, queues, fromStart: !isThere, begun, output });
}

/** The same for lines as JSON. */
const jsonSinks = (flags: LogsFlags): AllSinks => ({
  sinkOf: (id) => jsonSink(id, flags),
  say: (message) => Promise.resolve(printMessage(message)),
});

/** Milliseconds between two looks for a queue that is not there. */
const lookInterval = 500;

/** The queue, as soon as there is one. */
async function whenMade(choice: DatabaseChoice): Promise<Store> {
  for (;;) {
    await delay(lookInterval);
    const store = await openQueue(choice, "empty");
    if (store.exists) return store;
    await store[Symbol.asyncDispose]();
  }
}

async function printJob(
  choice: DatabaseChoice,
  store: Store,
  flags: LogsFlags,
  id: string,
  lines: number | undefined,
  attempt: number | undefined,
): Promise<void> {
  const detail = await store.detail(id);
  const only = attempt === undefined ? undefined : runOfAttempt(detail, attempt);
  if (flags.follow) {
    const sink = flags.json ? jsonSink(detail.id, flags) : plainSink(flags);
    using changes = changesOf(store);
    using output = announceReader(store.spool, detail.id, allowances(choice.allowed).allowShared);
    await followJob(store, changes, detail, sink, { lines, only, output });
    return;
  }
  const printed = await printedBy(store, detail, only);
  if (!printed) printMessage(`Job ${detail.id} has not run yet.`);
  const shown = (text: string) => lines === undefined ? text : lastLines(text, lines);
  const texts = printed
    ? [["out", shown(printed.output)] as const, ["err", shown(printed.errorOutput)] as const]
    : [];
  if (flags.json) {
    const chosen = texts.filter(([stream]) => isChosen(stream, flags));
    const objects = chosen.map(([stream, text]) => printedObject(detail.id, printed!, stream, text));
    return await printAll(jsonArray(objects));
  }
  const sink = plainSink(flags);
  for (const [stream, text] of texts) await sink.write(stream, text);
}

/** What a run has printed, and which it is. */
interface Printed {
  run: number;
  attempt: number;
  output: string;
  errorOutput: string;
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
  { seq, run, attempts }: JobDetail,
  only = run,
): Promise<Printed | null> {
  const { maxOutput } = configFrom(await store.settings());
  for (;;) {
    const ended = await store.runAfter(seq, only - 1);
    if (ended?.run === only || only === 0) return ended && { ...ended, attempt: ended.number };
    // It runs here, or the store has what its worker has sent.
    const files = runFiles(store.spool, seq, only);
    const spooled = await hostText.read((decoder) => readSpooled(files, maxOutput, decoder));
    if (spooled) return { ...spooled, run: only, attempt: attempts };
    const pieces = await store.keptOutput(seq, only);
    const textOf = (stream: "out" | "err") => {
      const ends = endsOfPieces(pieces.filter((piece) => piece.stream === stream));
      return hostText.read((decoder) => boundedText(ends, maxOutput, decoder));
    };
    // Where it has ended meanwhile there is nothing left of it, and its result is in the store.
    if (pieces.length > 0 || await store.isRunning(seq, only)) {
      return { run: only, attempt: attempts, output: await textOf("out"), errorOutput: await textOf("err") };
    }
    if ((await store.progress([seq])).length === 0) return null;
  }
}
