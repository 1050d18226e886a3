/**
 * A storm: for some time managers, workers and `enqueue` are killed at random, while jobs come in. Then one clean start
 * has to finish everything, and what the jobs wrote has to agree with what was recorded.
 */

import { sendSignal } from "../../src/worker/host/processes.ts";
import { problemsIn, type QueuePlace, untilEnded } from "../helpers/queue_problems.ts";
import { processesWith, processesWithArgument } from "../helpers/host_processes.ts";
import { type Manager, startManager } from "../helpers/manager.ts";
import { programCommand, type ProgramResult, runProgram } from "../helpers/program.ts";
import { type Random, seededRandom } from "../helpers/random.ts";
import { between, judge, pick, stormJobs, type Verdict } from "../helpers/storm_jobs.ts";

export interface StormOptions {
  seed: number;
  /** Milliseconds for which processes are killed. */
  duration: number;
  /** Jobs that come in meanwhile, spread over that time: a batch as soon as few are waiting. */
  batches: number;
  batchSize: number;
  managers: number;
  workers: number;
  /** What managers and workers are killed with: each as likely as it is often there. */
  signals: readonly Deno.Signal[];
  /** Least and most milliseconds between two kills. */
  pause: readonly [number, number];
  /** The setting, in milliseconds: a worker that is silent for as long is given up, one that cannot renew it ends its commands. */
  lease: number;
}

export interface StormReport extends Verdict {
  /** How often what was killed with what, as `worker SIGKILL`. */
  kills: Record<string, number>;
}

/** A storm on a queue; `watch` is told of every manager, so that none is left behind whatever happens. */
export async function storm(
  queue: QueuePlace,
  options: StormOptions,
  watch: (manager: Manager) => void = () => {},
): Promise<StormReport> {
  const { path, env } = queue;
  // Each has its own numbers, so that what one does does not depend on how quick the others are.
  const [killing, making, ending] = [1, 2, 3].map((part) => seededRandom(options.seed + part));
  const run = (args: string[], stdin = "") => runProgram(args, { cwd: path, env, stdin });
  const start = (...args: string[]) => {
    const manager = startManager(args, path, env);
    managers.push(manager);
    watch(manager);
    return manager;
  };
  const managers: Manager[] = [];
  const kills: Record<string, number> = {};
  const violations: string[] = [];
  const count = (what: string) => void (kills[what] = (kills[what] ?? 0) + 1);

  // A stop hands back what runs at once or soon.
  for (const setting of [["grace", "50ms"], ["lease", `${options.lease}ms`], ["base-backoff", "0"]]) {
    expectSuccess(await run(["config", "set", ...setting]), violations);
  }

  let over = false;
  const slots = Array.from({ length: options.managers }, async () => {
    while (!over) await start("--count", String(options.workers)).status;
  });
  const ids: string[] = [];
  async function killOften(): Promise<void> {
    for (const until = performance.now() + options.duration; performance.now() < until;) {
      await sleep(between(killing, ...options.pause));
      await killOne(path, managers, options.signals, killing, count);
    }
  }
  try {
    const onKill = () => count("enqueue SIGKILL");
    await Promise.all([killOften(), feed(options, env, path, making, ids, violations, onKill)]);
  } finally {
    over = true;
  }
  for (const manager of managers) manager.signal(pick(ending, options.signals));
  const drain = start("--count", "2", "--drain");
  const code = await untilEnded(drain);
  if (code !== 0) violations.push(`the clean start ended with status ${code}`);
  await Promise.all([...slots, ...managers.map((manager) => manager.closed)]);

  const verdict = await judge(path, queue.place, ids);
  violations.push(...verdict.violations, ...await problemsIn(queue));
  return { ...verdict, violations, kills };
}

/** Kills a manager or a worker, if one lives. */
async function killOne(
  path: string,
  managers: readonly Manager[],
  signals: readonly Deno.Signal[],
  random: Random,
  count: (what: string) => void,
): Promise<void> {
  // Numbers of processes are used again, also by commands and by `enqueue`, which carry the folder's name too.
  const known = {
    manager: managers.map(({ pid }) => pid),
    worker: managers.flatMap(({ lines }) => lines.map(spawnedPid)),
  };
  const ours = { manager: await alive("manager", known, path), worker: await alive("worker", known, path) };
  const role = pick(random, ["manager", "worker", "worker"] as const);
  if (ours[role].length === 0) return;
  const pid = pick(random, ours[role]);
  const signal = pick(random, signals);
  sendSignal(pid, signal);
  count(`${role} ${signal}`);
  // Who is stopping is killed before it has come to its end.
  if (signal === "SIGKILL" || random.below(2) === 0) return;
  await sleep(between(random, 0, 150));
  if (!(await alive(role, known, path)).includes(pid)) return;
  sendSignal(pid, "SIGKILL");
  count(`stopping ${role} SIGKILL`);
}

type Role = "manager" | "worker";

/** Those of the known pids that still are managers, or workers, of this folder. */
async function alive(role: Role, known: Record<Role, number[]>, path: string): Promise<number[]> {
  const carriers = await processesWith(path);
  const programs = await processesWithArgument(role === "manager" ? "start" : "--worker");
  return known[role].filter((pid) => carriers.includes(pid) && programs.includes(pid));
}

const spawnedPid = (line: string) => Number(/^Manager: spawned worker pid=(\d+)$/.exec(line)?.[1]);

/** Enqueues batch after batch; every third time `enqueue` is killed, and has to be run again. */
async function feed(
  options: StormOptions,
  env: Record<string, string>,
  cwd: string,
  random: Random,
  ids: string[],
  violations: string[],
  onKill: () => void,
): Promise<void> {
  const startedAt = performance.now();
  for (let batch = 1; batch <= options.batches; batch++) {
    await sleep(
      Math.max(0, startedAt + (batch - 1) * options.duration / options.batches - performance.now()),
    );
    const jobs = stormJobs(`job-${batch}`, options.batchSize, random);
    ids.push(...jobs.map(({ id }) => id));
    const stdin = jobs.map((job) => JSON.stringify(job)).join("\n");
    let killed = false;
    let done = false;
    if (random.below(3) === 0) {
      const child = programCommand(["enqueue", "-"], {
        cwd,
        env,
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      })
        .spawn();
      const written = new Blob([stdin]).stream().pipeTo(child.stdin).catch(() => {});
      await sleep(between(random, 0, 400));
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It was quicker.
        if (!(error instanceof TypeError)) throw error;
      }
      await written;
      const { signal, success } = await child.status;
      killed = signal === "SIGKILL";
      done = success;
      if (killed) onKill();
    }
    // It was quicker than the kill.
    if (done) continue;
    const result = await runProgram(["enqueue", "-"], { cwd, env, stdin });
    // It may have been killed after its commit; that all jobs are there is found out in the end.
    if (!(killed && /exist already; nothing was stored/.test(result.stderr))) {
      expectSuccess(result, violations);
    }
  }
}

function expectSuccess({ code, stderr }: ProgramResult, violations: string[]): void {
  if (code !== 0 || stderr.replace("Database schema initialized successfully.\n", "") !== "") {
    violations.push(`a command ended with status ${code}: ${stderr}`);
  }
}

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
