import { pathResolver } from "../../base/absolute_path.ts";
import { configFrom } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import { type CheckedJob, parseNewJob, withDefaults } from "../../job/new_job.ts";
import type { Store } from "../../store/store.ts";
import type { DatabaseChoice } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { jsonArray } from "../output/output.ts";
import { idLines, printAll, printLines, printMessage } from "../output/standard_streams.ts";
import { jsonHint } from "../arguments/windows_quotes.ts";

/** What is printed about new jobs: a sentence, a JSON array of their ids, or each id on a line. */
export type Report = "text" | "json" | "ids";

/** (new) → pending: the job that is described as JSON. What every `enqueue JSON` loads: nothing else is imported here. */
export async function enqueueJson(choice: DatabaseChoice, json: string): Promise<void> {
  // Before the database is opened: a mistake must not leave an empty one behind.
  const absolute = await pathResolver();
  await enqueueOne(choice, withQuotingHint(json, () => parseNewJob(json, absolute)), "text");
}

/** What is done after jobs were put into the queue and reported. */
export type Afterwards = (store: Store, ids: Iterable<string>) => Promise<void>;

/** (new) → pending: a job that was checked. */
export async function enqueueOne(
  choice: DatabaseChoice,
  checked: CheckedJob,
  report: Report,
  afterwards?: Afterwards,
): Promise<void> {
  await using store = await openQueue(choice, "create");
  const { settings, queues } = await store.enqueueDefaults();
  const job = withDefaults(checked, configFrom(settings), queues);
  const [{ id, existing }] = await store.enqueue([job]);
  await warnOfCommand(job.command);
  if (job.after !== undefined && !existing) await tellWhetherCancelled(store, id);
  if (report === "json") await printAll(jsonArray([id]));
  else if (report === "ids") await printAll(idLines([id]));
  else await printLines(existing ? `Job ${id} is in the queue already.` : `Job ${id} inserted.`);
  await afterwards?.(store, [id]);
}

/** Says on standard error what Windows cannot start: the job is stored all the same, a host of another system may take it. */
export async function warnOfCommand(command: string): Promise<void> {
  if (Deno.build.os !== "windows") return;
  const { textProblem } = await import("../../worker/host/windows/command_line.ts");
  const problem = textProblem(command);
  if (problem !== undefined) printMessage(`The command fails on this host: ${problem}`);
}

/** Says that a new job does not run, because one that it waits for has failed already. */
async function tellWhetherCancelled(store: Store, id: string): Promise<void> {
  const detail = await store.detail(id);
  if (detail.state !== "cancelled") return;
  const { failureWords } = await import("../follow/describe_end.ts");
  printMessage(failureWords(detail));
}

/** Runs `action`. Shells differ in what they do to quotes, so JSON that is not JSON was most often right where it was typed. */
export const withQuotingHint = <T>(json: string, action: () => T): T =>
  withHint(() => isShellGroup(json) ? groupHint : quotingHint, action);

const quotingHint = Deno.build.os === "windows"
  ? jsonHint
  : "Run queuectl enqueue --help for how to quote it";

/** The same for a line of a file, whose quotes no shell has seen. */
export const withGroupHint = <T>(json: string, action: () => T): T =>
  withHint(() => isShellGroup(json) ? groupHint : undefined, action);

/** Whether it is rather a group of shell commands than JSON, or what a shell has left of that. */
const isShellGroup = (text: string) => /^\s*\{\s+(?![\w-]+\s*:)[^\s"'}]/.test(text);

const groupHint =
  'A command that begins with "{" is given as {"command": "{ ...; }"}, or as queuectl enqueue -- sh -c \'{ ...; }\'';

function withHint<T>(hintOf: () => string | undefined, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof QueuectlError && error.cause instanceof SyntaxError)) throw error;
    const hint = hintOf();
    if (hint === undefined) throw error;
    throw new QueuectlError("usage", `${error.message}. ${hint}`, { cause: error });
  }
}
