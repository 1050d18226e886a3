/**
 * Jobs that write down their own life: a line when a run starts and when it ends, each with the number of the run, and
 * one when another run of the same job is still alive. With what the database says, that shows every mistake.
 */

import { readIfThere } from "../../src/base/files.ts";
import { quote } from "../../src/job/shell_words.ts";
import type { Place } from "./drivers.ts";
import type { Random } from "./random.ts";

/** Whether there are the programs that the jobs use, which are those of util-linux. */
export const hasFlock = Deno.build.os === "linux" && ["flock", "setsid"].every((program) => {
  try {
    return new Deno.Command(program, { args: ["--version"], stdin: "null", stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
});

/** A job as `enqueue` takes it. */
export interface StormJob {
  id: string;
  command: string;
}

/** The ways in which the work of a job is done, by how many seconds it takes: all that a hand-back has to end. */
const forms: Array<(seconds: string) => string> = [
  (seconds) => `sleep ${seconds}`,
  // Its name for its own pid gives it a shell of its own.
  (seconds) => `: $$; sleep ${seconds}`,
  (seconds) => `exec /bin/sh -c ${quote(`sleep ${seconds}; ${last}`)}`,
  (seconds) => `sleep ${seconds} | cat`,
  (seconds) => `setsid --wait sleep ${seconds}`,
  (seconds) => `trap '' TERM; sleep ${seconds}`,
];

const note = (word: string) => `echo "${word} $QUEUECTL_CLAIM" >>"log.$QUEUECTL_JOB_ID"`;
const last = `${note("end")}; echo done`;
const printed = "begun\ndone\n";

/**
 * The lock is held by every process of the job, because each inherits the descriptor, so it is free only when all of
 * them are gone.
 */
function command(work: string): string {
  const lock = `exec 9>>"lock.$QUEUECTL_JOB_ID"; flock --nonblock 9 || ${note("overlap")}`;
  return `${note("start")}; ${lock}; echo begun; ${work}; ${last}`;
}

/** A whole number from `low` to `high`, both included. */
export const between = (random: Random, low: number, high: number): number =>
  low + random.below(high - low + 1);

/** One of these. */
export const pick = <T>(random: Random, choices: readonly T[]): T => choices[random.below(choices.length)];

/** That many jobs, which take 20 to 200 ms each. */
export function stormJobs(prefix: string, count: number, random: Random): StormJob[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${index + 1}`,
    command: command(pick(random, forms)((between(random, 20, 200) / 1000).toFixed(3))),
  }));
}

/** What became of the jobs. */
export interface Verdict {
  jobs: number;
  /** Runs whose command started. */
  runs: number;
  /** Runs that were handed back after their command had started, and before it had. */
  handedBackRuns: number;
  handedBackUnstarted: number;
  overlaps: number;
  /** Attempts that ended without an exit status, and jobs that are not there or not completed. */
  lost: number;
  /** In words; empty when all is as it must be. */
  violations: string[];
}

/** A row of `attempts` with the job it belongs to. */
interface RunRow {
  id: string;
  run: number;
  outcome: string;
  code: number | null;
  output: string | null;
}

/** Compares what the commands wrote into the folder with what the database says of these jobs. */
export async function judge(folder: string, place: Place, ids: readonly string[]): Promise<Verdict> {
  const jobs = new Map(
    (await place.query("SELECT id, state, attempts, run FROM jobs")).map((row) => [String(row.id), row]),
  );
  const rows = await place.query(
    `SELECT id, attempts.run AS run, outcome, exit_code AS code, output
     FROM attempts JOIN jobs ON seq = job ORDER BY seq, attempts.run`,
  ) as unknown as RunRow[];
  const runsOf = Map.groupBy(rows, (row) => row.id);
  const verdict: Verdict = {
    jobs: ids.length,
    runs: 0,
    handedBackRuns: 0,
    handedBackUnstarted: 0,
    overlaps: 0,
    lost: 0,
    violations: [],
  };
  if (jobs.size !== ids.length) verdict.violations.push(`${jobs.size} jobs instead of ${ids.length}`);
  for (const id of ids) {
    const job = jobs.get(id);
    const runs = runsOf.get(id) ?? [];
    const log = readIfThere(`${folder}/log.${id}`) ?? "";
    if (job?.state !== "completed") verdict.lost++;
    const problems = judgeJob(runs, log, verdict);
    if (job?.state !== "completed" || job.attempts !== 1) {
      problems.unshift(`not completed at the first attempt`);
    }
    if (problems.length > 0) {
      const shown = JSON.stringify({ job, runs, log });
      verdict.violations.push(`job ${id}: ${problems.join(", ")}: ${shown}`);
    }
  }
  return verdict;
}

/** What is wrong with the runs of one job; adds to the counts. */
function judgeJob(runs: readonly RunRow[], log: string, verdict: Verdict): string[] {
  const problems: string[] = [];
  // The claim's name is SEQ.RUN.MARK.
  const lines = log.split("\n").filter((line) => line !== "").map((line) => {
    const [word, claim] = line.split(" ");
    return { word, run: Number(claim.split(".")[1]) };
  });
  const count = (word: string, run?: number) =>
    lines.filter((line) => line.word === word && (run === undefined || line.run === run)).length;
  verdict.runs += count("start");
  verdict.overlaps += count("overlap");
  if (count("overlap") > 0) problems.push("two runs at once");

  for (const { run, outcome, code, output } of runs) {
    const starts = count("start", run);
    if (starts > 1) problems.push(`run ${run} started ${starts} times`);
    if (outcome === "handed_back") {
      if (starts > 0) verdict.handedBackRuns++;
      else verdict.handedBackUnstarted++;
      continue;
    }
    if (outcome === "lost") verdict.lost++;
    if (outcome !== "exited" || code !== 0) problems.push(`run ${run} ended as ${outcome} ${code ?? ""}`);
    else if (starts !== 1 || count("end", run) !== 1) problems.push(`run ${run} is recorded but did not end`);
    else if (output !== printed) problems.push(`run ${run} printed something else`);
  }
  if (runs.filter(({ outcome }) => outcome !== "handed_back").length !== 1) problems.push("not one result");
  const recorded = new Set(runs.map(({ run }) => run));
  if (lines.some(({ run }) => !recorded.has(run))) problems.push("a run is not recorded");
  return problems;
}
