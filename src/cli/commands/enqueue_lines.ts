import { pathResolver } from "../../base/absolute_path.ts";
import { configFrom } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import type { JobFields } from "../../job/job_fields.ts";
import { type CheckedJob, checkNewJob, parseJson, withDefaults } from "../../job/new_job.ts";
import { addedTwice } from "../../store/errors.ts";
import type { DatabaseChoice } from "../context.ts";
import { refuseNotUnique, withFields } from "../arguments/enqueue_fields.ts";
import { kindOfText } from "../arguments/enqueue_form.ts";
import { onInterrupt } from "../interrupts.ts";
import { openQueue } from "../open_queue.ts";
import { counted, jsonArray } from "../output/output.ts";
import { openProgress } from "../output/progress_line.ts";
import { fileChunks, readLines, standardInput } from "../standard_input.ts";
import { idLines, print, printAll, printLines, printMessage } from "../output/standard_streams.ts";
import { type Afterwards, type Report, withGroupHint } from "./enqueue_one.ts";

/** How the lines of a file, or of standard input where it is null, become jobs. */
export interface Lines {
  file: string | null;
  /** What jobs have that do not say otherwise. */
  fields: Partial<JobFields>;
  /** Where lines of shell text run that get no `cwd` from the fields. */
  folder(): string;
}

/** (new) → pending: a job for each line, all or none; false where Ctrl-C came before all were read, and none is stored. */
export async function enqueueLines(
  choice: DatabaseChoice,
  lines: Lines,
  report: Report,
  afterwards?: Afterwards,
): Promise<boolean> {
  using interrupts = onInterrupt();
  using progress = openProgress(
    Deno.stderr.isTerminal() && !(lines.file === null && Deno.stdin.isTerminal()),
  );
  const source = await openSource(lines.file);
  const blocks = readJobs(source.chunks, jobReader(lines, await pathResolver()));
  // The database is opened, and made, only when there is a job to put into it.
  const nextBlock = untilStopped(blocks, interrupts.next());
  let next = await nextBlock();
  if (next?.done) {
    await print(report === "json" ? "[]\n" : report === "ids" ? "" : "0 jobs inserted.\n");
    return true;
  }
  if (!next) return tellInterrupted(progress);
  await using store = await openQueue(choice, "create");
  const { settings, queues } = await store.enqueueDefaults();
  const config = configFrom(settings);
  using intake = await store.intake();
  let jobs = 0;
  const places: Place[] = [];
  for (; !next?.done; next = await nextBlock()) {
    if (!next) return tellInterrupted(progress);
    const added = intake.add(next.value.map(({ job }) => withDefaults(job, config, queues)));
    const twice = next.value.at(added);
    if (twice) {
      named(twice.number, () => {
        throw addedTwice(twice.job.id);
      });
    }
    for (const [index, { number }] of next.value.entries()) {
      const skipped = number - jobs - index;
      if (places.at(-1)?.skipped !== skipped) places.push({ from: jobs + index, skipped });
    }
    progress.show({ jobs: jobs += next.value.length, share: source.share() });
  }
  // From here on Ctrl-C ends the program, and nobody knows whether they are stored.
  interrupts[Symbol.dispose]();
  const count = await intake.commit().catch((error) => {
    const index = indexOf(intake.ids(), (error as QueuectlError).newJob);
    if (index === undefined) throw error;
    const { skipped } = places.findLast(({ from }) => from <= index)!;
    named(index + skipped, () => {
      throw error;
    });
    return 0;
  });
  progress[Symbol.dispose]();
  if (report === "json") await printAll(jsonArray(intake.ids()));
  else if (report === "ids") await printAll(idLines(intake.ids()));
  else {
    const kept = count < jobs ? `, ${jobs - count} in the queue already` : "";
    await printLines(`${counted(count, "job")} inserted${kept}.`);
  }
  await afterwards?.(store, intake.ids());
  return true;
}

function tellInterrupted(progress: Disposable): false {
  progress[Symbol.dispose]();
  printMessage("Interrupted: nothing was stored");
  return false;
}

/** Gives what comes next, or null once it is told to stop. Nothing but the last one is kept while that takes its time. */
function untilStopped<T>(
  from: AsyncIterator<T>,
  stop: Promise<void>,
): () => Promise<IteratorResult<T> | null> {
  let isStopped = false;
  let give = () => {};
  stop.then(() => {
    isStopped = true;
    give();
  });
  return () =>
    new Promise((resolve, reject) => {
      give = () => resolve(null);
      if (isStopped) give();
      else from.next().then(resolve, reject);
    });
}

/** From which of the jobs on how many lines more than jobs there are: they are counted from 1, and some are empty. */
interface Place {
  from: number;
  skipped: number;
}

/** The place of an id; undefined where there is none. */
function indexOf(ids: Iterable<string>, id: string | undefined): number | undefined {
  if (id === undefined) return undefined;
  let index = 0;
  for (const each of ids) {
    if (each === id) return index;
    index++;
  }
}

/** The bytes, and how much of them was read: null where nobody knows how many there are. */
async function openSource(file: string | null) {
  if (file === null) return { chunks: standardInput(), share: () => null };
  const { chunks, size } = await fileChunks(file);
  let read = 0;
  async function* counting() {
    for await (const chunk of chunks) {
      read += chunk.length;
      yield chunk;
    }
  }
  return { chunks: counting(), share: () => size > 0 ? read / size : null };
}

/** Reads a line as JSON, or as shell text that runs in the folder. */
function jobReader(
  { fields, folder }: Lines,
  absolute: (path: string) => string,
): (line: string) => CheckedJob {
  const hasFields = Object.keys(fields).length > 0;
  let shellFields: Partial<JobFields> | undefined;
  return (line) => {
    if (kindOfText(line) === "shell") {
      refuseNotUnique(fields, fields);
      shellFields ??= { cwd: fields.cwd ?? folder(), ...fields };
      return checkNewJob({ ...shellFields, command: line.replace(/\r$/, "") }, absolute);
    }
    const value = withGroupHint(line, () => parseJson(line));
    if (!hasFields) return checkNewJob(value, absolute);
    const job = withFields(value, fields);
    refuseNotUnique(job, fields);
    return checkNewJob(job, absolute);
  };
}

interface NumberedJob {
  number: number;
  job: CheckedJob;
}

/** The jobs, as many at once as are read at once: waiting for each would take longer than storing it. */
async function* readJobs(
  chunks: AsyncIterable<Uint8Array>,
  read: (line: string) => CheckedJob,
): AsyncGenerator<NumberedJob[]> {
  for await (const lines of readLines(chunks)) {
    const jobs = lines.filter(({ text }) => text.trim() !== "").map(({ number, text }) => ({
      number,
      job: named(number, () => read(text)),
    }));
    if (jobs.length > 0) yield jobs;
  }
}

/** Runs `action`; what is wrong with the job says in which line it was. */
function named<T>(number: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof QueuectlError) || error.code === "database") throw error;
    throw new QueuectlError(error.code, `Line ${number}: ${error.message}`, { cause: error });
  }
}
