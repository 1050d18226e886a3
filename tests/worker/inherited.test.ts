/** What commands get from those who have started their worker: its variables as they are, and none of its files. */

import assert from "node:assert/strict";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { canRun, shell, startWrapped } from "../helpers/wrapped_program.ts";

const outputOf = (text: string) => text.trim().split("\n").sort();

queueTest("the environment is inherited byte for byte", async (queue) => {
  const line = String.raw`LATIN=$(printf '/opt/\351:%s' "$PATH"); export LATIN`;
  await queue.enqueue(
    { id: "bytes", command: `printf %s "$LATIN" | head -c 6 | od -An -tx1`, env: { ADDED: "1" } },
    { id: "program", command: "printenv LATIN" },
  );
  const manager = queue.watch(
    startWrapped({ wrapper: shell(line), args: ["--drain"], cwd: queue.path, env: queue.env }),
  );
  await manager.status;
  assert.equal((await queue.store.lastOutput("bytes"))?.output.trim(), "2f 6f 70 74 2f e9");
  assert.match((await queue.store.lastOutput("program"))!.output, /^\/opt\/\ufffd:/);
}, { ignore: posixOnly("bytes that are no text") });

queueTest("a command that is not found fails as itself where PATH is not UTF-8", async (queue) => {
  const line = String.raw`PATH="$(printf '/opt/\351:%s' "$PATH")"; export PATH`;
  await queue.enqueue({ id: "a", command: "no-such-command", maxRetries: 0 }, { id: "b", command: "true" });
  const manager = queue.watch(
    startWrapped({ wrapper: shell(line), args: ["--drain"], cwd: queue.path, env: queue.env }),
  );
  assert.equal((await manager.status).code, 1, "a job died");
  assert.deepEqual(await queue.outcomes("a"), [["exited", 127]]);
  assert.equal((await queue.job("b")).state, "completed");
}, { ignore: posixOnly("bytes that are no text") });

queueTest("variables that no shell can have itself reach programs", async (queue) => {
  const wrapper = ["env", "my.var=it's x", "a-b=y", "BASH_FUNC_greet%%=() { echo hello; }"];
  await queue.enqueue(
    { id: "plain", command: "printenv my.var a-b" },
    { id: "words", command: "'env' 'printenv' 'my.var'" },
    { id: "certain", command: "'test' 'a' = 'a'" },
    { id: "function", command: "bash -c greet" },
  );
  const manager = queue.watch(startWrapped({ wrapper, args: ["--drain"], cwd: queue.path, env: queue.env }));
  assert.equal((await manager.status).code, 0, manager.lines.join("\n"));
  assert.equal((await queue.store.lastOutput("plain"))?.output, "it's x\ny\n");
  assert.equal((await queue.store.lastOutput("words"))?.output, "it's x\n");
  assert.equal((await queue.store.lastOutput("function"))?.output, "hello\n");
}, { ignore: leftOut(!canRun("bash", "-c", ":"), "Only where bash is: functions that it inherits") });

queueTest(
  "what make tells its recipes does not reach commands, what is set for all makes does",
  async (queue) => {
    const show = "env | grep -E '^(M|GNUM)AKE|^MFLAGS|^QUEUECTL_(JOB_ID|CLAIM)=' | sort; :";
    const start = async (id: string, wrapper: string[], env: Record<string, string> = {}) => {
      await queue.enqueue({ id, command: show, env });
      const manager = queue.watch(
        startWrapped({ wrapper, args: ["--drain"], cwd: queue.path, env: queue.env }),
      );
      await manager.status;
      const lines = outputOf((await queue.store.lastOutput(id))!.output);
      assert.equal(lines.filter((line) => line.startsWith("QUEUECTL_CLAIM=")).length, 1);
      return lines.filter((line) => !line.startsWith("QUEUECTL_CLAIM="));
    };
    const ofMake = [
      "MAKELEVEL=1",
      "MAKEFLAGS=ik -j2 --jobserver-auth=3,4",
      "MFLAGS=-ik",
      "MAKE_TERMOUT=/dev/pts/1",
    ];
    const outer = ["QUEUECTL_JOB_ID=outer", "QUEUECTL_CLAIM=outer"];
    assert.deepEqual(await start("recipe", ["env", ...ofMake, ...outer]), ["QUEUECTL_JOB_ID=recipe"]);
    assert.deepEqual(await start("asked", ["env", ...ofMake], { MAKEFLAGS: "-j3" }), [
      "MAKEFLAGS=-j3",
      "QUEUECTL_JOB_ID=asked",
    ]);
    assert.deepEqual(await start("own", ["env", "MAKEFLAGS=-j8"]), ["MAKEFLAGS=-j8", "QUEUECTL_JOB_ID=own"]);
  },
  { ignore: posixOnly("make") },
);

queueTest("commands inherit no descriptor but the standard streams", async (queue) => {
  // bash, because others cannot name one above 9.
  const wrapper = ["bash", "-c", 'exec 3>lock 9>>lock 10</dev/null 200>other; exec "$@"', "bash"];
  const listing = "ls -l /dev/fd/ | sed -n 's/.* \\([0-9]*\\) -> \\(.*\\)/\\1 \\2/p'";
  await queue.enqueue(
    { id: "shell", command: listing },
    { id: "program", command: `sh -c '${listing.replaceAll("'", `'\\''`)}'` },
    { id: "own-shell", command: `: $$; ${listing}` },
  );
  const manager = queue.watch(startWrapped({ wrapper, args: ["--drain"], cwd: queue.path, env: queue.env }));
  assert.equal((await manager.status).code, 0, manager.lines.join("\n"));
  for (const id of ["shell", "program", "own-shell"]) {
    const open = outputOf((await queue.store.lastOutput(id))!.output);
    // That of `ls` is the folder which it reads.
    assert.deepEqual(
      open.filter((line) => !/ \/proc\/\d+\/fd$/.test(line)).map((line) => line.split(" ")[0]),
      [
        "0",
        "1",
        "2",
      ],
      open.join("\n"),
    );
  }
}, {
  ignore: leftOut(
    Deno.build.os !== "linux" || !canRun("bash", "-c", ":"),
    "Only on Linux, with bash: what descriptors are",
  ),
});
