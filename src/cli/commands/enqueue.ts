import { resolve } from "node:path";
import { configFrom } from "../../config.ts";
import { QueuectlError } from "../../errors.ts";
import { type CheckedJob, parseNewJob, withDefaults } from "../../job/new_job.ts";
import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { counted, jsonArray } from "../output.ts";
import { type Line, readLines, standardInput } from "../standard_input.ts";
import { print, printAll } from "../standard_streams.ts";

/** (new) → pending: the job that the argument describes, or with `-` all that standard input describes, or none. */
export async function enqueue(this: Context, flags: { json?: boolean }, argument: string): Promise<void> {
  if (argument === "-") await enqueueLines(this, flags.json ?? false);
  else await enqueueOne(this, flags.json ?? false, argument);
}

async function enqueueOne(context: Context, asJson: boolean, argument: string): Promise<void> {
  // Before the database is opened: a mistake must not leave an empty one behind.
  const checked = withQuotingHint(() => parseNewJob(argument, resolve));
  await using store = await openQueue(context, "create");
  const job = withDefaults(checked, configFrom(await store.settings()));
  await store.enqueue([job]);
  if (asJson) await printAll(jsonArray([job.id]));
  else await print(`Job ${job.id} inserted.\n`);
}

async function enqueueLines(context: Context, asJson: boolean): Promise<void> {
  const lines = readLines(standardInput());
  // The database is opened, and made, only when there is a job to put into it.
  const first = await nextJob(lines);
  if (!first) return await print(asJson ? "[]\n" : "0 jobs inserted.\n");
  await using store = await openQueue(context, "create");
  const config = configFrom(await store.settings());
  using intake = await store.intake();
  for (let next: NumberedJob | undefined = first; next; next = await nextJob(lines)) {
    const { number, job } = next;
    named(number, () => intake.add(withDefaults(job, config)));
  }
  const count = await intake.commit();
  if (asJson) await printAll(jsonArray(intake.ids()));
  else await print(`${counted(count, "job")} inserted.\n`);
}

interface NumberedJob {
  number: number;
  job: CheckedJob;
}

async function nextJob(lines: AsyncIterator<Line>): Promise<NumberedJob | undefined> {
  while (true) {
    const { done, value } = await lines.next();
    if (done) return undefined;
    const { number, text } = value;
    if (text.trim() !== "") return { number, job: named(number, () => parseNewJob(text, resolve)) };
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
