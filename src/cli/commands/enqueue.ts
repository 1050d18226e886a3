import { pathResolver } from "../../absolute_path.ts";
import { QueuectlError } from "../../errors.ts";
import type { JobFields } from "../../job/job_fields.ts";
import { checkNewJob, parseJson } from "../../job/new_job.ts";
import { commandOfWords, windowsCommandOfWords } from "../../job/shell_words.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { type FieldFlags, fieldsOfFlags, refuseTwice, withFields } from "../enqueue_fields.ts";
import { type EnqueueForm, formOf } from "../enqueue_form.ts";
import { enqueueLines } from "./enqueue_lines.ts";
import { type Afterwards, enqueueOne, type Report, withQuotingHint } from "./enqueue_one.ts";

/** What `enqueue` takes. */
export interface EnqueueFlags extends FieldFlags {
  file?: string;
  json?: boolean;
  "print-id"?: boolean;
  wait?: boolean;
}

/** (new) → pending: the job that the command line describes in any form, or all of many lines, or none. */
export async function enqueue(this: Context, flags: EnqueueFlags, ...args: string[]): Promise<void> {
  const form = formOf(args, this.behindSeparator, flags.file);
  const fields = fieldsOfFlags(flags);
  const report = reportOf(flags);
  const afterwards: Afterwards | undefined = flags.wait
    ? async (store, ids) => void (this.process.exitCode = await waitForEnd(store, [...ids]))
    : undefined;
  if (form.kind !== "lines") {
    return await enqueueOne(
      this,
      checkNewJob(describe(form, fields), await pathResolver()),
      report,
      afterwards,
    );
  }
  if (fields.id !== undefined) {
    throw new QueuectlError("usage", "Flag --id names one job, not those of many lines");
  }
  await enqueueLines(
    this,
    { file: form.file, fields, folder: fields.cwd ?? currentFolder() },
    report,
    afterwards,
  );
}

/** Waits as `queuectl wait` does; gives the exit status. */
async function waitForEnd(store: Store, ids: readonly string[]): Promise<number> {
  const { waitForJobs } = await import("./wait.ts");
  const { changesOf } = await import("../follow/changes.ts");
  using changes = changesOf(store);
  return await waitForJobs(store, changes, Infinity, ids);
}

function reportOf(flags: EnqueueFlags): Report {
  if (flags.json && flags["print-id"]) {
    throw new QueuectlError("usage", "Only one of the flags --json and --print-id can be given");
  }
  return flags.json ? "json" : flags["print-id"] ? "ids" : "text";
}

/** The job that a form and flags describe, as a value with the JSON field names. */
export function describe(form: Exclude<EnqueueForm, { kind: "lines" }>, fields: Partial<JobFields>): unknown {
  if (form.kind === "json") {
    const value = withQuotingHint(() => parseJson(form.text));
    refuseTwice(value, fields);
    return withFields(value, fields);
  }
  const command = form.kind === "shell" ? form.text : commandOf(form.words);
  return { cwd: fields.cwd ?? currentFolder(), ...fields, command };
}

const commandOf = Deno.build.os === "windows" ? windowsCommandOfWords : commandOfWords;

/** Where a job runs that is given as a command: where it was typed. */
function currentFolder(): string {
  try {
    return Deno.cwd();
  } catch (error) {
    throw new QueuectlError(
      "usage",
      "The current folder is not there any more; say with --cwd where to run",
      {
        cause: error,
      },
    );
  }
}
