import assert from "node:assert/strict";
import { assign, passLines, tellToStop } from "../../src/worker/manager/worker_process.ts";

/** A process that prints its input. */
const start = (program: string) =>
  new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();

const assignment = {
  manager: 1,
  database: "queuectl.db",
  ignoreHangUp: false,
  passDatabase: false,
  folder: null,
};

Deno.test("a worker is told all lines in their order, also those that follow at once", async () => {
  const child = start(`
    let text = "";
    for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.endsWith("stop\\nstop\\n")) break;
    }
    await Deno.stdout.write(new TextEncoder().encode(text));
    Deno.exit();`);
  await Promise.all([assign(child, assignment), tellToStop(child), tellToStop(child)]);
  const { stdout } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), `${JSON.stringify(assignment)}\nstop\nstop\n`);
});

Deno.test("one that has died takes nothing, however often it is told", async () => {
  const child = start("");
  await child.output();
  await Promise.all([tellToStop(child), tellToStop(child)]);
  await tellToStop(child);
});

Deno.test("what a worker prints is passed on by lines, also the last one of a worker that was killed", async () => {
  const bytes = new TextEncoder().encode("one\ntw");
  const chunks = [bytes, new TextEncoder().encode("ö\n\nth"), new TextEncoder().encode("rée")];
  const [before, after] = [chunks[2].slice(0, 2), chunks[2].slice(2)];
  for (const isKilled of [false, true]) {
    const passed: string[][] = [];
    const rest = [...chunks.slice(0, 2), before, after];
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        const chunk = rest.shift();
        if (chunk) controller.enqueue(chunk);
        else if (isKilled) controller.error(new Error("(os error 109)"));
        else controller.close();
      },
    });
    await passLines(stream, (lines) => passed.push(lines));
    assert.deepEqual(passed, [["one"], ["twö", ""], ["thrée"]]);
  }
});
