/** Queues as text and JSON, and rates as people write them. Pure functions of their arguments. */

import { formatDuration, parseDuration, spelledDuration } from "../../base/duration.ts";
import { jobStates } from "../../job/job.ts";
import { printable } from "../../base/printable.ts";
import { allQueues, type Queue } from "../../store/queues.ts";
import type { Table } from "./output.ts";
import { flexible } from "./table_layout.ts";

/** So many starts within so many milliseconds. */
export interface Rate {
  rate: number;
  ratePeriod: number;
}

/** The most starts that a rate can have. */
const maxRate = 1_000_000;

/** Reads `10/s`, `10/m`, `100/h` or `5/30s`; undefined when the text is no rate. */
export function parseRate(text: string): Rate | undefined {
  const match = /^(\d{1,7})\/(\d.*|[a-z]+)$/.exec(text.trim());
  if (!match) return undefined;
  const rate = Number(match[1]);
  const ratePeriod = parseDuration(/^\d/.test(match[2]) ? match[2] : `1${match[2]}`);
  if (rate < 1 || rate > maxRate || ratePeriod === undefined || ratePeriod < 1) return undefined;
  return { rate, ratePeriod };
}

/** Writes a rate as {@link parseRate} reads it. */
export const formatRate = ({ rate, ratePeriod }: Rate): string =>
  `${rate}/${formatDuration(ratePeriod).replace(/^1(?=[a-z])/, "")}`;

/** The rate of a queue as text; null where it has none. */
const rateOf = ({ rate, ratePeriod }: Queue) =>
  rate === null || ratePeriod === null ? null : formatRate({ rate, ratePeriod });

/** Whether anything keeps jobs of the queue from being started. */
export const isLimited = ({ paused, concurrency, rate }: Queue): boolean =>
  paused || concurrency !== null || rate !== null;

/** The name that people see. */
const nameOf = ({ name }: Queue) => name === allQueues ? "(all)" : printable(name);

/** All queues together stand in tables only where something is set for them. */
const shown = (queues: readonly Queue[]) =>
  queues.filter((queue) => queue.name !== allQueues || isLimited(queue));

/** The table of `queue list`; cancelled jobs have a column where there are any. */
export function queueTable(queues: readonly Queue[]): Table {
  const isCancelled = queues.some(({ counts }) => counts.cancelled > 0);
  const states = [
    "pending",
    "failed",
    "completed",
    "dead",
    ...isCancelled ? ["cancelled"] as const : [],
  ] as const;
  const counted = states.map((state) => state.toUpperCase());
  const titles = ["STATE", "RUNNING", "RATE", ...counted, "MAX-RETRIES", "TIMEOUT"];
  return {
    columns: [{ title: "NAME", ...flexible(12) }, ...titles.map((title) => ({ title }))],
    rows: shown(queues).map((queue) => {
      const { paused, concurrency, counts, maxRetries, timeout } = queue;
      return [
        nameOf(queue),
        paused ? "paused" : "active",
        concurrency === null ? String(counts.processing) : `${counts.processing}/${concurrency}`,
        rateOf(queue) ?? "-",
        ...states.map((state) => String(counts[state])),
        maxRetries === null ? "-" : String(maxRetries),
        timeout === null ? "-" : formatDuration(timeout),
      ];
    }),
  };
}

/** A queue as `--json` shows it; durations are seconds, and all queues together have no name. */
export function queueObject(queue: Queue) {
  const { name, paused, concurrency, rate, ratePeriod, nextStart, maxRetries, timeout, counts } = queue;
  return {
    name: name === allQueues ? null : name,
    paused,
    concurrency,
    rate,
    rate_period: ratePeriod === null ? null : ratePeriod / 1000,
    next_start: nextStart === null ? null : nextStart / 1000,
    max_retries: maxRetries,
    timeout: timeout === null ? null : timeout / 1000,
    ...Object.fromEntries(jobStates.map((state) => [state, counts[state]])),
  };
}

/** What is set for a queue, in words. */
export function queueSettings(queue: Queue): string {
  const { concurrency, maxRetries, timeout } = queue;
  const rate = rateOf(queue);
  const words = [
    ...concurrency === null ? [] : [`concurrency ${concurrency}`],
    ...rate === null ? [] : [`rate ${rate}`],
    ...maxRetries === null ? [] : [`max-retries ${maxRetries}`],
    ...timeout === null ? [] : [`timeout ${formatDuration(timeout)}`],
  ];
  return words.length > 0 ? words.join(", ") : "nothing is set";
}

/** The lines of `status` about queues; none where there is but the default one, without a limit or a pause. */
export function queueLines(
  queues: readonly Queue[],
  line: (title: string, text: string) => string,
): string[] {
  const lines = shown(queues);
  if (lines.length < 2 && !lines.some(isLimited)) return [];
  return ["Queues:", ...lines.map((queue) => line(nameOf(queue), describe(queue)))];
}

/** Told where the rate alone keeps jobs that wait. */
const nextWords = ({ paused, nextStart, counts: { pending, failed } }: Queue) =>
  nextStart === null || paused || pending + failed === 0
    ? ""
    : ` (the next in ${spelledDuration(nextStart)})`;

function describe(queue: Queue): string {
  const { paused, concurrency, counts } = queue;
  const rate = rateOf(queue);
  return [
    `${counts.pending} pending`,
    ...counts.failed > 0 ? [`${counts.failed} failed`] : [],
    concurrency === null ? `${counts.processing} running` : `${counts.processing} of ${concurrency} running`,
    ...rate === null ? [] : [`at most ${rate}${nextWords(queue)}`],
    ...paused ? ["paused"] : [],
  ].join(", ");
}
