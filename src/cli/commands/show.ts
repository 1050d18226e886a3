import type { JobDetail, ParentJob } from "../../store/progress.ts";
import type { Context } from "../context.ts";
import { type Waiting, whyItWaits } from "../follow/describe_waiting.ts";
import { outcomeWords, runningWords } from "../follow/describe_end.ts";
import { openQueue } from "../open_queue.ts";
import { defaultQueueName } from "../../job/job.ts";
import { iso, jobObject, json as asJson, type Table } from "../output/output.ts";
import { backoffWords, deathWords, retriedWords } from "../output/describe_retries.ts";
import { print } from "../output/standard_streams.ts";
import { flexible } from "../output/table_layout.ts";
import { printFields, printTable } from "../output/terminal_width.ts";
import { formatDuration, spelledDuration } from "../../base/duration.ts";

/** Prints every field of a job, its attempts, and why it waits. */
export async function show(this: Context, { json }: { json?: boolean }, id: string): Promise<void> {
  await using store = await openQueue(this, "empty");
  const job = await store.detail(id);
  const waits = whyItWaits(job, await store.processes(), await store.queues());
  if (json) return await print(asJson(detailObject(job, waits, await store.lastOutput(job.id))) + "\n");
  await printFields(fieldsOf(job, waits));
  if (job.runs.length === 0) return;
  await print("\n");
  await printTable(runTable(job.runs));
}

/** What `show --json` prints: the fields of `list --json`, and how the job is. Durations are seconds. */
function detailObject(
  detail: JobDetail,
  waits: Waiting | null,
  last: { output: string; errorOutput: string } | null,
) {
  const { job, runs, running } = detail;
  return {
    ...jobObject(job, last),
    after: detail.parents.filter(({ kind }) => kind === "success").map(({ id }) => id),
    after_any: detail.parents.filter(({ kind }) => kind === "any").map(({ id }) => id),
    waits: waits && {
      for: waits.for,
      text: waits.text,
      seconds: waits.dueIn === null ? null : waits.dueIn / 1000,
      ahead: waits.ahead,
      no_worker: waits.noWorker,
    },
    dead_because: deathWords(job, runs.at(-1)),
    running: running && {
      run: detail.run,
      attempt: detail.attempts,
      host: running.host?.split("/")[0] ?? null,
      pid: running.pid,
      started_at: iso(running.startedAt),
      duration: running.duration / 1000,
      cancelling: detail.cancelling,
      stopped: detail.stopped,
    },
    runs: runs.map((run) => ({
      run: run.run,
      attempt: run.number,
      worker: run.worker,
      started_at: iso(run.startedAt),
      ended_at: iso(run.endedAt),
      duration: (run.endedAt - run.startedAt) / 1000,
      outcome: run.outcome,
      exit_code: run.exitCode,
      signal: run.signal,
    })),
  };
}

/** The fields that the job has, by the names that people see. */
function fieldsOf(detail: JobDetail, waits: Waiting | null): Array<[string, string]> {
  const { job, runs } = detail;
  const now = waits?.text ?? runningWords(detail);
  const env = Object.entries(job.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const fields: Array<[string, string | null]> = [
    ["ID", job.id],
    ["State", job.state],
    ["Now", now],
    ["After", parentList(detail, "success")],
    ["After any", parentList(detail, "any")],
    ["Before", childList(detail.children)],
    ["Command", job.command],
    ["Folder", job.cwd ?? "of the worker"],
    ["Environment", env.length === 0 ? null : env.join(" ")],
    ["Queue", job.queue === defaultQueueName ? null : job.queue],
    ["Tags", job.tags.length === 0 ? null : job.tags.join(", ")],
    ["Unique key", job.uniqueKey],
    ["Priority", String(job.priority)],
    ["Attempts", `${job.attempts} of ${Math.max(job.maxRetries + 1, job.attempts)}`],
    [
      "Timeout",
      job.timeout === null ? "by setting" : job.timeout === 0 ? "none" : formatDuration(job.timeout),
    ],
    ["Backoff", backoffWords(job)],
    ["Retried", retriedWords(job)],
    ["Held", job.held ? "until it is released" : null],
    ["Created", iso(job.createdAt)],
    ["Updated", iso(job.updatedAt)],
    ["Next attempt", iso(job.nextAttemptAt)],
    ["Last error", job.lastError],
    ["Dead because", deathWords(job, runs.at(-1))],
  ];
  return fields.filter((field): field is [string, string] => field[1] !== null);
}

/** How many of the jobs that one waits for are named. */
const namedParents = 5;

/** `a (processing), b (completed), and 3 more`; null where there is none. */
function parentList({ parents }: JobDetail, kind: ParentJob["kind"]): string | null {
  const all = parents.filter((parent) => parent.kind === kind);
  return someOf(all.slice(0, namedParents).map(({ id, state }) => `${id} (${state})`), all.length);
}

const childList = ({ ids, count }: JobDetail["children"]) => someOf(ids, count);

function someOf(named: readonly string[], count: number): string | null {
  if (count === 0) return null;
  return named.join(", ") + (count > named.length ? `, and ${count - named.length} more` : "");
}

/** The number that the attempt has among all runs is shown where a retry or a stop has made it another one. */
function runTable(runs: JobDetail["runs"]): Table {
  const differ = runs.some(({ run, number }) => run !== number);
  return {
    columns: [
      ...differ ? [{ title: "RUN" }] : [],
      ...["ATTEMPT", "STARTED", "TOOK"].map((title) => ({ title })),
      { title: "OUTCOME", ...flexible(16, 8) },
      { title: "WORKER", ...flexible(12) },
    ],
    rows: runs.map((run) => [
      ...differ ? [String(run.run)] : [],
      String(run.number),
      iso(run.startedAt)!,
      spelledDuration(run.endedAt - run.startedAt),
      outcomeWords(run),
      run.worker,
    ]),
  };
}
