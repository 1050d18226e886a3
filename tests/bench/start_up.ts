/** What one command costs over the start of the runtime. */

import { programCommand } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { bareInsert } from "./bare_sqlite.ts";
import { bareProgram } from "./bare_program.ts";
import { watchMemory } from "./memory.ts";
import { benchQueue, runQuietly, timed } from "./queue.ts";
import { comparison, type Row } from "./report.ts";
import { interleaved, median } from "./statistics.ts";

/** Runs of each in one round: a start is short, and its noise is not. */
const runs = 10;

async function meanTime(action: () => Promise<unknown>): Promise<number> {
  return await timed(async () => {
    for (let run = 0; run < runs; run++) await action();
  }) / runs;
}

/** `enqueue` of one job, over an empty program. */
export async function oneEnqueue(rounds: number): Promise<Row[]> {
  await using folder = await temporaryFolder();
  await using queue = await benchQueue();
  await using other = await benchQueue();
  const isCompiled = Deno.env.get("QUEUECTL_TEST_PROGRAM") !== undefined;
  const empty = await bareProgram("empty_program", folder.path);
  const insert = await bareProgram("insert_program", folder.path, ["--allow-read", "--allow-write"]);
  const results = await interleaved(rounds, {
    enqueue: () => meanTime(() => queue.run(["enqueue", '{"command": "true"}'])),
    empty: () => meanTime(() => runQuietly(empty.command, empty.args)),
    insert: () => meanTime(() => runQuietly(insert.command, [...insert.args, other.database])),
  });
  return [
    comparison("one enqueue", "ms", results.enqueue, "empty program", results.empty, {
      atMost: isCompiled ? 1.2 : 1.3,
    }),
    comparison("one enqueue", "ms", results.enqueue, "a program for one durable row", results.insert),
  ];
}

/** `enqueue -` of many lines: its rate after the start-up, and its memory. */
export async function manyLines(rounds: number): Promise<Row[]> {
  await using folder = await temporaryFolder();
  const [most, many] = [400_000, 100_000];
  const file = (lines: number) => `${folder.path}/${lines}.jsonl`;
  const linesOf = (count: number) =>
    Array.from({ length: count }, (_, number) => `{"command": "echo ${number}"}\n`);
  for (const lines of [1, many, most]) await Deno.writeTextFile(file(lines), linesOf(lines).join(""));
  const memory: Record<number, number[]> = { [many]: [], [most]: [] };
  const enqueue = async (lines: number) => {
    await using queue = await benchQueue();
    const child = programCommand(["enqueue", "-"], {
      cwd: queue.path,
      stdin: "piped",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const watch = watchMemory(child.pid);
    const time = await timed(async () => {
      using input = await Deno.open(file(lines));
      await input.readable.pipeTo(child.stdin);
      const { code } = await child.status;
      if (code !== 0) throw new Error(`enqueue - ended with ${code}`);
    });
    const peak = await watch.end();
    memory[lines]?.push(peak);
    return time;
  };
  const results = await interleaved(rounds, {
    many: () => enqueue(many),
    most: () => enqueue(most),
    one: () => enqueue(1),
    bare: () => bareInsert(linesOf(many)),
  });
  const seconds = results.many.map((time, round) => (time - results.one[round]) / 1000);
  return [
    {
      figure: `enqueue - of ${many} lines, after its start-up`,
      unit: "lines/s",
      value: median(seconds.map((time) => many / time)),
      target: { atLeast: 150_000 },
    },
    comparison(
      `enqueue - of ${many} lines, after its start-up`,
      "lines/s",
      seconds.map((time) => many / time),
      "one INSERT each",
      results.bare.map((time) => many / time * 1000),
    ),
    comparison(`memory of enqueue -, ${most} lines`, "MiB", memory[most], `${many} lines`, memory[many], {
      atMost: 1.5,
    }),
  ];
}
