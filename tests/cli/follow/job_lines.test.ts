import assert from "node:assert/strict";
import { createLines } from "../../../src/cli/follow/job_lines.ts";

/** What is done: a job prints, or its run ends, or nothing but time goes by, or a message is printed. */
type Step = [job: string, text: string] | [ended: string] | number | null;

/** What comes of these steps, all of it on standard output. */
async function printedBy(steps: readonly Step[], isTerminal: boolean, colours = false): Promise<string> {
  let printed = "";
  let now = 0;
  const target = {
    isTerminal,
    print: (text: string) => {
      printed += text;
      return Promise.resolve();
    },
  };
  const lines = createLines({ out: target, err: target }, {
    targetOf: () => "out",
    colours,
    now: () => now,
  });
  const sinks = new Map<string, ReturnType<typeof lines.sinkOf>>();
  const sinkOf = (id: string) => {
    const sink = sinks.get(id) ?? lines.sinkOf(id);
    sinks.set(id, sink);
    return sink;
  };
  for (const step of steps) {
    if (step === null) await lines.endLine("out");
    else if (typeof step === "number") {
      now += step;
      for (const sink of sinks.values()) await sink.printOpen();
    } else if (step.length === 1) await sinkOf(step[0]).flush();
    else await sinkOf(step[0]).write("out", step[1]);
  }
  return printed;
}

const again = "\r\x1b[K";

Deno.test("lines of jobs are printed whole, with their job, or after a while as far as they are", async () => {
  const cases: Array<[Step[], piped: string, terminal: string]> = [
    [[["a", "1\n2\n\n"]], "a | 1\na | 2\na | \n", "a | 1\na | 2\na | \n"],
    [[["a", "1\r\n2\r\n"]], "a | 1\r\na | 2\r\n", "a | 1\na | 2\n"],
    // A line that comes in two pieces stays whole.
    [[["a", "1"], 99, ["b", "x\n"], ["a", "2\n"]], "b | x\na | 12\n", "b | x\na | 12\n"],
    // One that is not ended goes on in its place,
    [[["a", "."], 100], "a | .", "a | ."],
    [[["a", "."], 100, ["a", "."], ["a", ".\nend\n"]], "a | ...\na | end\n", "a | ...\na | end\n"],
    // but not where somebody else has printed: then it waits again, for its end or a while.
    [
      [["a", "."], 100, ["b", "x\n"], ["a", "."], 99, ["a", "!"], 1],
      "a | .\nb | x\na | .!",
      "a | .\nb | x\na | .!",
    ],
    [[["a", "."], 100, ["b", "x"], 100, ["a", "\n"]], "a | .\nb | x", "a | .\nb | x"],
    [[["a", "."], 100, ["b", "x"], 100, ["b"], ["a"]], "a | .\nb | x\n", "a | .\nb | x\n"],
    [[["a", "."], 100, null, ["a", ".\n"]], "a | .\na | .\n", "a | .\na | .\n"],
    [[["a", "1"], ["a"], ["b", "\r"], ["b"]], "a | 1\n", "a | 1\n"],
    // Lines that are drawn again.
    [
      [["a", "1 %\r"], 100, ["a", "2 %\r3 %\r"], 100, ["a", "done\n"]],
      "a | 1 %\na | 2 %\na | 3 %\na | done\n",
      `a | 1 %${again}a | 3 %${again}a | done\n`,
    ],
    [[["a", "1 %\r2 %\rdone\n"]], "a | 1 %\na | 2 %\na | done\n", "a | done\n"],
    [[["a", "\r1 %"], 100, ["a", "\r2 %"], 100], "a | 1 %\na | 2 %", `a | 1 %${again}a | 2 %`],
    [[["a", "1\r"], 100, ["a", "\n2\n"]], "a | 1\na | 2\n", "a | 1\na | 2\n"],
    [[["a", "1\r"], 100, ["b", "x\n"], ["a", "2\r"], 100], "a | 1\nb | x\na | 2\n", "a | 1\nb | x\na | 2"],
    [[["a", "1\r"], ["a", "\n2"], ["a"]], "a | 1\r\na | 2\n", "a | 1\na | 2\n"],
    // Hostile texts.
    [[["a\x1b[2J", "\x1b[2Jx\n"]], "a\\x1b[2J | \x1b[2Jx\n", "a\\x1b[2J | \\x1b[2Jx\n"],
    [[["a", "x\rb | y\x1b[2K\n"]], "a | x\na | b | y\x1b[2K\n", "a | b | y\n"],
  ];
  for (const [steps, piped, terminal] of cases) {
    assert.equal(await printedBy(steps, false), piped, JSON.stringify(steps));
    assert.equal(await printedBy(steps, true), terminal, JSON.stringify(steps));
  }
});

Deno.test("a job keeps its colours from line to line, and nobody else has them", async () => {
  const steps: Step[] = [["a", "\x1b[31mred\n"], ["b", "plain\n"], ["a", "still\x1b[m\n"]];
  assert.equal(
    await printedBy(steps, true, true),
    "\x1b[36ma\x1b[0m | \x1b[31mred\x1b[0m\n" +
      "\x1b[33mb\x1b[0m | plain\n" +
      "\x1b[36ma\x1b[0m | \x1b[31mstill\x1b[m\n",
  );
  assert.equal(await printedBy(steps, true), "a | red\nb | plain\na | still\n");
  assert.equal(await printedBy(steps, false, true), "a | \x1b[31mred\nb | plain\na | still\x1b[m\n");
});

Deno.test("a line without an end is not kept in memory", async () => {
  const long = "x".repeat(70_000);
  for (const isTerminal of [true, false]) {
    assert.equal(await printedBy([["a", long]], isTerminal), `a | ${long}`);
  }
});
