import { currentFolder, pathResolver } from "../../base/absolute_path.ts";
import { QueuectlError } from "../../base/errors.ts";
import { statIfThere } from "../../base/files.ts";
import type { JobFields } from "../../job/job_fields.ts";
import { checkNewJob, parseJson } from "../../job/new_job.ts";
import { commandOfWords } from "../../job/shell_words.ts";
import { windowsCommandOfWords } from "../../job/windows_words.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import {
  type FieldFlags,
  fieldsOfFlags,
  refuseNotUnique,
  refuseTwice,
  withFields,
} from "../arguments/enqueue_fields.ts";
import { type EnqueueForm, formOf } from "../arguments/enqueue_form.ts";
import { interrupted, onInterrupt } from "../interrupts.ts";
import { printMessage } from "../output/standard_streams.ts";
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
  const absolute = await pathResolver();
  const afterwards: Afterwards | undefined = flags.wait
    ? async (store, ids) => void (this.process.exitCode = await waitForEnd(store, [...ids]))
    : undefined;
  if (form.kind !== "lines") {
    const checked = checkNewJob(describe(form, fields), absolute);
    warnOfFolder(fields.cwd, absolute);
    return await enqueueOne(this, checked, report, afterwards);
  }
  if (fields.id !== undefined) {
    throw new QueuectlError("usage", "Flag --id names one job, not those of many lines");
  }
  warnOfFolder(fields.cwd, absolute);
  const lines = { file: form.file, fields, folder: typedIn };
  if (!await enqueueLines(this, lines, report, afterwards)) this.process.exitCode = interrupted;
}

/** Says on standard error where the folder of --cwd is not there: the job is stored all the same, another host may have it. */
export function warnOfFolder(given: string | undefined, absolute: (path: string) => string): void {
  if (given === undefined) return;
  const folder = absolute(given);
  try {
    if (statIfThere(folder)?.isDirectory) return;
  } catch (error) {
    // Where nothing can be looked at nothing is known.
    if (!(error instanceof Deno.errors.NotADirectory)) return;
  }
  printMessage(
    `Flag --cwd: there is no folder "${folder}" on this host; the command fails here until there is`,
  );
}

/** Waits as `queuectl wait` does; gives the exit status. Ctrl-C leaves the jobs alone, and says how to go on with them. */
async function waitForEnd(store: Store, ids: readonly string[]): Promise<number> {
  const { waitForJobs } = await import("./wait.ts");
  const { changesOf } = await import("../follow/changes.ts");
  using interrupts = onInterrupt();
  using changes = changesOf(store);
  return await Promise.race([
    waitForJobs(store, changes, Infinity, ids),
    interrupts.next().then(() => {
      printMessage(goesOnWords(ids));
      return interrupted;
    }),
  ]);
}

/** How to go on with jobs that nobody waits for any more. */
function goesOnWords(ids: readonly string[]): string {
  return ids.length === 1
    ? `Job ${ids[0]} continues. Follow it: queuectl logs -f ${ids[0]}`
    : `${ids.length} jobs go on. Follow them: queuectl logs -f --all`;
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
    const value = withQuotingHint(form.text, () => parseJson(form.text));
    refuseTwice(value, fields);
    refuseNotUnique(withFields(value, fields), fields);
    return withFields(value, fields);
  }
  refuseNotUnique(fields, fields);
  const command = form.kind === "shell" ? form.text : commandOf(form.words);
  return { cwd: fields.cwd ?? typedIn(), ...fields, command };
}

const commandOf = Deno.build.os === "windows" ? windowsCommandOfWords : commandOfWords;

/** Where a job runs that is given as a command: where it was typed. */
const typedIn = () => currentFolder("say with --cwd where to run");
