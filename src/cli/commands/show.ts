import { printable } from "../../printable.ts";
import type { JobDetail } from "../../store/progress.ts";
import type { RegisteredProcess } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { outcomeWords, runningWords, whyItWaits } from "../follow/words.ts";
import { openQueue } from "../open_queue.ts";
import { defaultQueueName, type RetryRules } from "../../job/job.ts";
import { counted, iso, jobObject, json as asJson, table } from "../output.ts";
import { print } from "../standard_streams.ts";
import { formatDuration, spelledDuration } from "../../duration.ts";

/** Prints every field of a job, its attempts, and why it waits. */
export async function show(this: Context, { json }: { json?: boolean }, id: string): Promise<void> {
  await using store = await openQueue(this, "empty");
  const job = await store.detail(id);
  const processes = await store.processes();
  await print(
    json
      ? asJson(detailObject(job, processes, await store.lastOutput(job.id))) + "\n"
      : detailText(job, processes),
  );
}

/** What `show --json` prints: the fields of `list --json`, and how the job is. Durations are seconds. */
function detailObject(
  detail: JobDetail,
  processes: readonly RegisteredProcess[],
  last: { output: string; errorOutput: string } | null,
) {
  const { job, runs, running } = detail;
  const waits = whyItWaits(detail, processes);
  return {
    ...jobObject(job, last),
    waits: waits && {
      for: waits.for,
      text: waits.text,
      seconds: waits.for === "time" ? detail.dueIn! / 1000 : null,
      ahead: waits.ahead,
      no_worker: waits.noWorker,
    },
    running: running && {
      run: detail.run,
      attempt: detail.attempts,
      host: running.host?.split("/")[0] ?? null,
      pid: running.pid,
      started_at: iso(running.startedAt),
      duration: running.duration / 1000,
      cancelling: detail.cancelling,
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

function detailText(detail: JobDetail, processes: readonly RegisteredProcess[]): string {
  const { job, runs } = detail;
  const waits = whyItWaits(detail, processes);
  const now = waits?.text ?? runningWords(detail);
  const env = Object.entries(job.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const fields: Array<[string, string | null]> = [
    ["ID", job.id],
    ["State", job.state],
    ["Now", now],
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
    ["Backoff", job.baseBackoff === null ? "by setting" : `${job.baseBackoff} ^ attempt seconds`],
    ["Retry rules", job.retryRules && rulesText(job.retryRules)],
    ["Held", job.held ? "until it is released" : null],
    ["Waits for", job.blocked > 0 ? counted(job.blocked, "job") : null],
    ["Created", iso(job.createdAt)],
    ["Updated", iso(job.updatedAt)],
    ["Next attempt", iso(job.nextAttemptAt)],
    ["Last error", job.lastError],
  ];
  const lines = fields.filter((field): field is [string, string] => field[1] !== null)
    .map(([name, value]) => `${`${name}:`.padEnd(14)}${printable(value)}\n`);
  return lines.join("") + (runs.length === 0 ? "" : `\n${runTable(runs)}`);
}

function rulesText({ backoff, maxBackoff, jitter, retryOn, noRetryOn }: RetryRules): string {
  const rules: Array<[string, string | number | undefined]> = [
    ["backoff", backoff],
    ["max_backoff", maxBackoff && formatDuration(maxBackoff)],
    ["jitter", jitter],
    ["retry_on", retryOn?.join(",")],
    ["no_retry_on", noRetryOn?.join(",")],
  ];
  return rules.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`).join(
    ", ",
  );
}

/** The number that the attempt has among all runs is shown where a retry or a stop has made it another one. */
function runTable(runs: JobDetail["runs"]): string {
  const differ = runs.some(({ run, number }) => run !== number);
  return table(
    [...differ ? ["RUN"] : [], "ATTEMPT", "STARTED", "TOOK", "OUTCOME", "WORKER"],
    runs.map((run) => [
      ...differ ? [String(run.run)] : [],
      String(run.number),
      iso(run.startedAt)!,
      spelledDuration(run.endedAt - run.startedAt),
      outcomeWords(run),
      printable(run.worker),
    ]),
  );
}
