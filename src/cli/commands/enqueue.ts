import { pathResolver } from "../../absolute_path.ts";
import { configFrom } from "../../config.ts";
import { QueuectlError } from "../../errors.ts";
import { type CheckedJob, parseNewJob, withDefaults } from "../../job/new_job.ts";
import type { Context, DatabaseChoice } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { counted, jsonArray } from "../output.ts";
import { readLines, standardInput } from "../standard_input.ts";
import { print, printAll } from "../standard_streams.ts";

/** (new) → pending: the job that the argument describes, or with `-` all that standard input describes, or none. */
export async function enqueue(this: Context, flags: { json?: boolean }, argument: string): Promise<void> {
  if (argument === "-") await enqueueLines(this, flags.json ?? false);
  else await enqueueOne(this, flags.json ?? false, argument);
}

/** The job that the text describes. */
export async function enqueueOne(choice: DatabaseChoice, asJson: boolean, argument: string): Promise<void> {
  // Before the database is opened: a mistake must not leave an empty one behind.
  const absolute = await pathResolver();
  const checked = withQuotingHint(() => parseNewJob(argument, absolute));
  await using store = await openQueue(choice, "create");
  const job = withDefaults(checked, configFrom(await store.settings()));
  await store.enqueue([job]);
  if (asJson) await printAll(jsonArray([job.id]));
  else await print(`Job ${job.id} inserted.\n`);
}

async function enqueueLines(choice: DatabaseChoice, asJson: boolean): Promise<void> {
  const blocks = readJobs(await pathResolver());
  // The database is opened, and made, only when there is a job to put into it.
  let next = await blocks.next();
  if (next.done) return await print(asJson ? "[]\n" : "0 jobs inserted.\n");
  await using store = await openQueue(choice, "create");
  const config = configFrom(await store.settings());
  using intake = await store.intake();
  for (; !next.done; next = await blocks.next()) {
    for (const { number, job } of next.value) named(number, () => intake.add(withDefaults(job, config)));
  }
  const count = await intake.commit();
  if (asJson) await printAll(jsonArray(intake.ids()));
  else await print(`${counted(count, "job")} inserted.\n`);
}

interface NumberedJob {
  number: number;
  job: CheckedJob;
}

/** The jobs on standard input, as many at once as are read at once: waiting for each would take longer than storing it. */
async function* readJobs(absolute: (path: string) => string): AsyncGenerator<NumberedJob[]> {
  for await (const lines of readLines(standardInput())) {
    const jobs = lines.filter(({ text }) => text.trim() !== "").map(({ number, text }) => ({
      number,
      job: named(number, () => parseNewJob(text, absolute)),
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

// Shells differ in what they do to quotes, so JSON that is not JSON was most often right where it was typed.
function withQuotingHint<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof QueuectlError && error.cause instanceof SyntaxError)) throw error;
    throw new QueuectlError("usage", `${error.message}. Run queuectl enqueue --help for how to quote it`, {
      cause: error,
    });
  }
}
