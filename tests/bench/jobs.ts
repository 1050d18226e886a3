/** Jobs a second, next to other ways to start as many commands. */

import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { bareProgram } from "./bare_program.ts";
import { comparison, type Row } from "./report.ts";
import { benchQueue, beside, isInstalled, runQuietly, timed } from "./queue.ts";
import { interleaved, median } from "./statistics.ts";

const count = 2000;
/** For programs that are many times slower. */
const fewer = 200;

/** Runs as many jobs with a new queue and workers; returns jobs a second, with everything from start to end. */
async function queuectl(jobs: number, command: string, ...flags: string[]): Promise<number> {
  await using queue = await benchQueue(jobs, command);
  const time = await timed(() => queue.run(["worker", "start", ...flags, "--drain"]));
  const { completed } = await queue.store.counts();
  if (completed !== jobs) throw new Error(`${completed} of ${jobs} jobs were completed`);
  return jobs / time * 1000;
}

/** A bare loop of `Deno.Command`, which runs as many commands, so many side by side; gives commands a second. */
async function openLoop(folder: string) {
  const { command: program, args } = await bareProgram("command_loop", folder, ["--allow-run"]);
  return (jobs: number, sideBySide: number, command: string): Promise<number> =>
    rate(jobs, () => runQuietly(program, [...args, String(jobs), String(sideBySide), command]));
}

const rate = async (jobs: number, action: () => Promise<unknown>) => jobs / await timed(action) * 1000;

const shell = (text: string, env: Record<string, string> = {}) =>
  runQuietly("/bin/sh", ["-c", text], { env });

/** 2 000 `true` jobs with two slots, next to whatever else runs commands here. */
export async function trueJobs(rounds: number): Promise<Row[]> {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const limit = await isInstalled("cc") ? `${path}/spawn_limit` : undefined;
  if (limit) await runQuietly("cc", ["-O2", "-o", limit, beside("spawn_limit.c")]);
  const commandLoop = await openLoop(path);
  const peers: Record<string, () => Promise<number>> = {};
  if (limit) peers["posix_spawn in C"] = () => rate(count, () => runQuietly(limit, [String(count), "2"]));
  if (await isInstalled("xargs")) {
    peers["xargs -P2 sh -c true"] = () => rate(count, () => shell(`seq ${count} | xargs -P2 -n1 sh -c true`));
  }
  if (await isInstalled("parallel")) {
    peers["parallel -j2 true"] = () => rate(fewer, () => shell(`seq ${fewer} | parallel -j2 -n0 true`));
  }
  if (await isInstalled("tsp")) {
    const text = `for i in $(seq ${fewer}); do tsp -n sh -c true; done; tsp -w`;
    peers["tsp, 2 slots"] = () =>
      rate(fewer, () => shell(text, { TS_SOCKET: `${path}/tsp`, TS_SLOTS: "2", TMPDIR: path }));
  }
  if (await isInstalled("nq")) {
    peers["nq (one at a time)"] = async () => {
      const nqDir = await Deno.makeTempDir({ dir: path });
      return await rate(
        fewer,
        () => shell(`for i in $(seq ${fewer}); do nq sh -c true; done; nq -w`, { NQDIR: nqDir }),
      );
    };
  }
  try {
    const results = await interleaved(rounds, {
      "--count 2": () => queuectl(count, "true", "--count", "2"),
      "--count 1 --concurrency 2": () => queuectl(count, "true", "--concurrency", "2"),
      "Deno.Command loop": () => commandLoop(count, 2, "true"),
      ...peers,
    });
    const row = (flags: string, against: string, atLeast?: number) =>
      comparison(
        `true jobs, ${flags}`,
        "jobs/s",
        results[flags as keyof typeof results],
        against,
        results[against as keyof typeof results],
        atLeast === undefined ? undefined : { atLeast },
      );
    const targets: Record<string, number> = { "posix_spawn in C": 1.2, "xargs -P2 sh -c true": 1 };
    return [
      row("--count 2", "Deno.Command loop", 0.95),
      row("--count 1 --concurrency 2", "Deno.Command loop", 0.95),
      ...Object.keys(peers).map((peer) => row("--count 2", peer, targets[peer])),
    ];
  } finally {
    // The server of task-spooler stays until it is told.
    if ("tsp, 2 slots" in peers) await shell("tsp -K", { TS_SOCKET: `${path}/tsp` });
  }
}

/** Jobs that wait, so many side by side that starting them takes a good part of the processors. */
export async function sleepingJobs(rounds: number): Promise<Row[]> {
  const [jobs, slots, seconds] = [2560, 64, 0.1];
  await using folder = await temporaryFolder();
  const commandLoop = await openLoop(folder.path);
  const results = await interleaved(rounds, {
    queue: () => queuectl(jobs, `sleep ${seconds}`, "--concurrency", String(slots)),
    loop: () => commandLoop(jobs, slots, `sleep ${seconds}`),
  });
  const ideal = slots / seconds;
  return [
    comparison(
      `sleep ${seconds} jobs, --concurrency ${slots}`,
      "jobs/s",
      results.queue,
      "Deno.Command loop",
      results.loop,
      {
        atLeast: 0.9,
      },
    ),
    {
      figure: `the same over ${slots} slots that start at once`,
      unit: "jobs/s",
      value: median(results.queue),
      against: { name: "ideal", value: ideal },
      ratio: median(results.queue) / ideal,
      target: { atLeast: 0.9 },
    },
  ];
}
