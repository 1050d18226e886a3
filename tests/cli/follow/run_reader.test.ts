import assert from "node:assert/strict";
import { createRunReader } from "../../../src/cli/follow/run_reader.ts";
import { readPrinted } from "../../../src/worker/spool_output.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

Deno.test("what was read in the moment in which the files of a run are removed is not lost", async () => {
  await using folder = await temporaryFolder();
  const files = `${folder.path}/1.1`;
  Deno.writeTextFileSync(`${files}.out`, "out\n");
  Deno.writeTextFileSync(`${files}.err`, "bad\n");
  const store = { spool: folder.path, keptOutput: () => Promise.resolve([]) };
  const reader = createRunReader(store, 1, 1, (path, stream, position, length) => {
    if (stream === "err") { for (const name of ["out", "err"]) Deno.removeSync(`${path}.${name}`); }
    return readPrinted(path, stream, position, length);
  });
  const first = await reader.look(true);
  assert.deepEqual(first, { pieces: [{ stream: "out", text: "out\n" }], more: false, gone: true });
  const rest = reader.rest({ output: "out\nlast\n", errorOutput: "bad\n" });
  assert.deepEqual(rest, [{ stream: "out", text: "last\n" }, { stream: "err", text: "bad\n" }]);
});

Deno.test("a run that is not here is asked of the store, from where it was left", async () => {
  await using folder = await temporaryFolder();
  const asked: unknown[] = [];
  const reader = createRunReader(
    {
      spool: folder.path,
      keptOutput(seq, run, after) {
        asked.push([seq, run, after]);
        return Promise.resolve([{ stream: "out", position: 0, content: new TextEncoder().encode("abc") }]);
      },
    },
    7,
    2,
  );
  assert.deepEqual(await reader.look(false), { pieces: [], more: false, gone: false });
  assert.deepEqual((await reader.look(true)).pieces, [{ stream: "out", text: "abc" }]);
  assert.deepEqual((await reader.look(true)).pieces, [{ stream: "out", text: "" }]);
  assert.deepEqual(asked, [[7, 2, { out: 0, err: 0 }], [7, 2, { out: 3, err: 0 }]]);
});
