/** Sixteen processes on one database at once, each of which does one thing all the time. */

import { fileURLToPath } from "node:url";
import { readIfThere } from "../../src/base/files.ts";
import { permissions } from "../../src/worker/host/program.ts";
import { type QueuePlace, untilEnded } from "./queue_problems.ts";
import { programCommand, type ProgramResult, runProgram } from "./program.ts";
import { type Manager, startManager, watchManager } from "./manager.ts";

/** What processes of the store do, by how many of them; with two managers of a worker each there are 16. */
const storeTasks = ["enqueue", "enqueue", "enqueue", "read", "read", "retry", "settings"];
/** What the program is run with, again and again: single jobs and batches, questions, retries. */
const programTasks: Array<(id: string) => { args: string[]; stdin?: string }> = [
  (id) => ({ args: ["enqueue", JSON.stringify(ranOnce(id))] }),
  (id) => ({
    args: ["enqueue", "-"],
    stdin: [1, 2, 3, 4, 5].map((part) => JSON.stringify(ranOnce(`${id}-${part}`))).join("\n"),
  }),
  () => ({ args: ["list", "--json", "--limit", "1000000"] }),
  () => ({ args: ["status"] }),
  () => ({ args: ["dlq", "retry", "--all"] }),
];

const ranOnce = (id: string) => ({ id, command: `echo ran >>ran.${id}` });

export interface Contention {
  /** Every job that was acknowledged. */
  ids: string[];
  /** How often what was done. */
  times: Record<string, number>;
  /** What anybody was told that is an error, or about a lock. */
  complaints: string[];
}

/** Lets them contend for that many milliseconds, and then has everything done that is left to do. */
export async function contend(
  { path, env }: QueuePlace,
  duration: number,
  watch: (manager: Manager) => void = () => {},
): Promise<Contention> {
  const result: Contention = { ids: [], times: {}, complaints: [] };
  const { ids, times, complaints } = result;
  const count = (what: string, more: number) => void (times[what] = (times[what] ?? 0) + more);
  const run = async (args: string[], stdin?: string): Promise<ProgramResult> => {
    const ended = await runProgram(args, { cwd: path, env, stdin });
    if (ended.code !== 0 || ended.stderr !== "") {
      complaints.push(`${args.join(" ")} ended with status ${ended.code}: ${ended.stderr}`);
    }
    return ended;
  };
  const start = (...args: string[]) => {
    const manager = startManager(args, path, env);
    watch(manager);
    return manager;
  };
  await run(["config", "set", "max-retries", "0"]);

  const stores = storeTasks.map((task, index) => startStoreProcess(env, path, task, `store-${index}`));
  for (const { manager } of stores) watch(manager);
  await Promise.all(stores.map(({ manager }) => manager.line(/^ready$/)));
  const managers = [start(), start()];
  let over = false;
  const timer = setTimeout(() => over = true, duration);
  await Promise.all(programTasks.map(async (task, index) => {
    for (let number = 1; !over; number++) {
      const { args, stdin } = task(`program-${index}-${number}`);
      const { code, stdout } = await run(args, stdin);
      const jobs = (stdin ?? args[1] ?? "").split("\n").filter((line) => line.startsWith("{"));
      if (code === 0) ids.push(...jobs.map((job) => JSON.parse(job).id));
      if (args.includes("--json")) JSON.parse(stdout);
      count(args.slice(0, 2).join(" ").replace(/ [{-].*/, (end) => end === " -" ? end : ""), 1);
    }
  }));
  clearTimeout(timer);

  for (const { manager, closeInput, task } of stores) {
    await closeInput();
    const code = await untilEnded(manager);
    await manager.closed;
    const last = manager.lines.at(-1)!;
    if (code !== 0) complaints.push(`${task} ended with status ${code}: ${manager.lines.join("\n")}`);
    else {
      const report = JSON.parse(last);
      ids.push(...report.ids);
      count(`${task} (store)`, report.times);
    }
  }
  for (const manager of managers) manager.signal("SIGTERM");
  // What has died since the last retry, and what the managers had not come to; then what dies of that.
  for (let round = 1, code = 1; code === 1 && round <= 3; round++) {
    await run(["dlq", "retry", "--all"]);
    const drain = start("--count", "2", "--drain");
    managers.push(drain);
    code = await untilEnded(drain);
  }
  for (const manager of managers) {
    await untilEnded(manager);
    await manager.closed;
  }
  const said = managers.flatMap(({ lines }) => lines).filter((line) =>
    /lock|busy|error|trying again/i.test(line)
  );
  complaints.push(...said);
  return result;
}

function startStoreProcess(env: Record<string, string>, cwd: string, task: string, prefix: string) {
  const script = fileURLToPath(import.meta.resolve("./contention_process.ts"));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--no-lock",
      ...permissions,
      script,
      env.QUEUECTL_DB,
      task,
      prefix,
    ],
    cwd,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return { task, manager: watchManager(child), closeInput: () => child.stdin.close() };
}

/** A program that runs beside the test; not waited for here. */
export function startProgram({ path, env }: QueuePlace, ...args: string[]): Manager {
  return watchManager(
    programCommand(args, {
      cwd: path,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

/** What is wrong with the runs of these jobs: those that were made to fail ran twice, all others once. */
export function miscounted(path: string, ids: readonly string[]): string[] {
  return ids.flatMap((id) => {
    const ran = (readIfThere(`${path}/ran.${id}`) ?? "").split("\n").length - 1;
    const expected = /^store-\d+-\d+$/.test(id) && Number(id.split("-")[2]) % 4 === 0 ? 2 : 1;
    return ran === expected ? [] : [`${id} ran ${ran} times, not ${expected}`];
  });
}
