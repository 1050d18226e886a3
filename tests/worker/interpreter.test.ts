/** Scripts whose interpreter is missing, with the words that shells have for that. */

import assert from "node:assert/strict";
import { posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { interpreterProblem } from "../../src/worker/run/interpreter.ts";

const ignore = posixOnly("first lines of scripts that name interpreters");

function writeScripts(folder: string): void {
  const scripts = {
    crlf: "#!/bin/sh\r\necho ran\r\n",
    missing: "#! /no/such/python3 -u\nprint(1)\n",
    good: "#!/bin/sh\nexit 127\n",
    plain: "exit 127\n",
    binary: "\x7fELF\0",
    empty: "",
  };
  for (const [name, text] of Object.entries(scripts)) {
    Deno.writeTextFileSync(`${folder}/${name}`, text, { mode: 0o755 });
  }
}

Deno.test(
  "a missing interpreter is named, whichever shell says that the script is not found",
  { ignore },
  async () => {
    await using folder = await temporaryFolder();
    writeScripts(folder.path);
    const job = { cwd: folder.path, env: null };
    const missing = `The interpreter of ${folder.path}/missing does not exist: "/no/such/python3"`;
    const crlf =
      `The interpreter of ${folder.path}/crlf does not exist: "/bin/sh\\r"; its lines end with CRLF, and have to end with LF`;
    const cases: Array<[errorOutput: string, problem: string | null]> = [
      ["/bin/sh: 15: exec: ./missing: not found\n", missing],
      ["/bin/sh: 1: ./crlf: not found\n", crlf],
      ["bash: ./missing: cannot execute: required file not found\n", missing],
      [`/bin/sh: ${folder.path}/crlf: /bin/sh^M: bad interpreter: No such file or directory\n`, crlf],
      ["sh: ./missing: not found\n", missing],
      ["E: mksh: ./crlf: No such file or directory\n", crlf],
      ["nohup: failed to run command './missing': No such file or directory\n", missing],
      ["something before\nenv: ‘./missing’: No such file or directory", missing],
      ["./missing: is only named\nsomething else\n", null],
      ["/bin/sh: 1: ./good: not found\n", null],
      ["/bin/sh: 1: ./plain: not found\n", null],
      ["/bin/sh: 1: ./binary: not found\n", null],
      ["/bin/sh: 1: ./empty: not found\n", null],
      ["/bin/sh: 1: ./none: not found\n", null],
      ["/bin/sh: 1: .: not found\n", null],
      ["", null],
    ];
    for (const [text, problem] of cases) assert.equal(interpreterProblem(job, 127, text), problem, text);
    const error = "/bin/sh: 1: missing: not found\n";
    assert.equal(interpreterProblem(job, 127, error), null);
    assert.equal(interpreterProblem({ ...job, env: { PATH: `/bin:${folder.path}` } }, 127, error), missing);
    assert.equal(interpreterProblem(job, 1, "/bin/sh: 1: ./missing: not found\n"), null);
    assert.equal(interpreterProblem(job, 126, "/bin/sh: 1: ./missing: not found\n"), missing);
  },
);

queueTest("the last error of a job names the interpreter that its script has not", async (queue) => {
  writeScripts(queue.path);
  await queue.enqueue(
    { id: "own", command: "./crlf", cwd: queue.path, maxRetries: 0 },
    { id: "worker's", command: "./missing a b", maxRetries: 0 },
    { id: "good", command: "./good", maxRetries: 0 },
  );
  assert.equal((await queue.start("--drain").status).code, 1);
  const error = async (id: string) => (await queue.job(id)).lastError ?? "";
  assert.match(
    await error("own"),
    /\nThe interpreter of \/.*\/crlf does not exist: "\/bin\/sh\\r"; its lines/,
  );
  assert.match(
    await error("worker's"),
    /\nThe interpreter of \/.*\/missing does not exist: "\/no\/such\/python3"$/,
  );
  assert.equal(await error("good"), "Command exited with code 127");
  for (const id of ["own", "worker's"]) assert.deepEqual(await queue.outcomes(id), [["exited", 127]]);
}, { ignore });
