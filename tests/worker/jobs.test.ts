/** Jobs run by the real program: each once, side by side, with their folder and environment, retried until dead. */

import assert from "node:assert/strict";
import { leftOut, posixOnly } from "../helpers/left_out.ts";
import { queueTest } from "../helpers/queue_test.ts";
import {
  complain,
  isWindows,
  note,
  onlyWhere,
  steps,
  untilFile,
  variable,
} from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

queueTest(
  "two managers with two workers each run every job once, and end when all are done",
  async (queue) => {
    const ids = numbers(60).map((number) => `job-${number}`);
    await queue.enqueue(...ids.map((id) => ({ id, command: note("ran", `ran.${id}`) })));
    const managers = [queue.start("--count", "2", "--drain"), queue.start("--count", "2", "--drain")];
    const statuses = await Promise.all(managers.map((manager) => manager.status));
    assert.deepEqual(statuses.map(({ code }) => code), [0, 0]);
    for (const id of ids) assert.equal(queue.read(`ran.${id}`), "ran\n", id);
    const { completed, pending, processing } = await queue.store.counts();
    assert.deepEqual({ completed, pending, processing }, { completed: 60, pending: 0, processing: 0 });
    assert.deepEqual(queue.spooled(), []);
    assert.deepEqual(await queue.store.processes(), []);
  },
);

queueTest("a worker runs as many jobs side by side as it was told, and no more", async (queue) => {
  // Each waits for all three, so one after another they would wait for ever.
  const meet = (id: number) => steps(`touch here.${id}`, ...numbers(3).map((n) => untilFile(`here.${n}`)));
  await queue.enqueue(...numbers(3).map((number) => ({ id: String(number), command: meet(number) })));
  const manager = queue.start("--concurrency", "3");
  for (const number of numbers(3)) await queue.reaches(String(number), "completed");
  // Each takes one of three places, which are too few as soon as there are four.
  const place = isWindows
    ? numbers(3).map((n) => `mkdir place.${n} 2>nul&&(rmdir place.${n}&exit 0)`).join("&") + "&exit 9"
    : "for n in 1 2 3; do if mkdir place.$n 2>/dev/null; then sleep 0.05; rmdir place.$n; exit 0; fi; done; exit 9";
  const ids = numbers(12).map((number) => `place-${number}`);
  await queue.enqueue(...ids.map((id) => ({ id, command: place, maxRetries: 0 })));
  for (const id of ids) await queue.reaches(id, "completed");
  assert.equal(manager.lines.filter((line) => /spawned/.test(line)).length, 1);
});

queueTest("a job that is enqueued while the workers have nothing to do is started", async (queue) => {
  const manager = queue.start();
  await manager.line(/Worker-1: started$/);
  assert.equal((await queue.run("enqueue", '{"id": "a", "command": "echo done"}')).code, 0);
  await queue.reaches("a", "completed");
  await manager.line(/^\[\d\d:\d\d:\d\d\] Worker-1: picked job a \(attempt 1\)$/);
  await manager.line(/^\[\d\d:\d\d:\d\d\] Worker-1: job a completed successfully$/);
});

queueTest(
  "a job that fails is retried until its attempts are spent; drain waits for it and tells",
  async (queue) => {
    await queue.enqueue(
      {
        id: "hopeless",
        command: steps(note(variable("QUEUECTL_ATTEMPT"), "attempts"), complain("reason"), "exit 7"),
        maxRetries: 2,
      },
      { id: "third-time", command: onlyWhere("QUEUECTL_ATTEMPT", "3"), maxRetries: 2 },
      // Due only when the rest has long been done.
      { id: "later", command: onlyWhere("QUEUECTL_ATTEMPT", "2"), baseBackoff: 1.2 },
    );
    const manager = queue.start("--drain");
    assert.equal((await manager.status).code, 1);
    await manager.closed;
    const dead = await queue.job("hopeless");
    assert.deepEqual([dead.state, dead.attempts, dead.lastError], ["dead", 3, "reason"]);
    assert.equal(queue.read("attempts"), "1\n2\n3\n");
    assert.deepEqual(await queue.outcomes("hopeless"), [["exited", 7], ["exited", 7], ["exited", 7]]);
    assert.deepEqual(await queue.outcomes("third-time"), [["exited", 1], ["exited", 1], ["exited", 0]]);
    assert.deepEqual(await queue.outcomes("later"), [["exited", 1], ["exited", 0]]);
    for (
      const text of [
        "job hopeless moved to DLQ",
        "job later failed, retry in 1.2s",
        "job third-time completed",
      ]
    ) {
      await manager.line(new RegExp(text));
    }
    // A death of an earlier time is not told again.
    await queue.enqueue({ id: "fine", command: "true" });
    assert.equal((await queue.start("--drain").status).code, 0);
  },
);

queueTest("a command gets its folder, its environment and no standard input", async (queue) => {
  Deno.mkdirSync(`${queue.path}/it's a folder`);
  Deno.writeTextFileSync(`${queue.path}/file`, "");
  const value = "two\nlines 'quoted' \"twice\" $HOME `x` \\ é";
  await queue.enqueue(
    { id: "folder", command: "pwd; cat; echo $#", cwd: `${queue.path}/it's a folder` },
    {
      id: "env",
      command: 'printf "%s|" "$QUEUECTL_JOB_ID" "$QUEUECTL_ATTEMPT" "$VALUE"',
      env: { VALUE: value },
    },
    { id: "no-folder", command: "touch was-here", cwd: `${queue.path}/none`, maxRetries: 0 },
    { id: "file", command: "touch was-here", cwd: `${queue.path}/file`, maxRetries: 0 },
    { id: "unknown", command: "no-such-program-anywhere", maxRetries: 0 },
    { id: "devices", command: "pwd", cwd: "/dev" },
    { id: "signal", command: "kill -KILL $$", maxRetries: 0 },
  );
  assert.equal((await queue.start("--drain").status).code, 1);
  const output = async (id: string) => (await queue.store.lastOutput(id))?.output;
  assert.equal(await output("folder"), `${queue.path}/it's a folder\n0\n`);
  // Which Deno does not let us look at.
  assert.equal(await output("devices"), "/dev\n");
  assert.equal(await output("env"), `env|1|${value}|`);
  const reasons = { "no-folder": "none: the folder does not exist", file: "file: it is not a folder" };
  for (const [id, reason] of Object.entries(reasons)) {
    const { state, lastError } = await queue.job(id);
    assert.deepEqual([state, lastError], ["dead", `Cannot run in ${queue.path}/${reason}`]);
    assert.deepEqual(await queue.outcomes(id), [["spawn_failed", null]]);
  }
  assert.equal(queue.read("was-here"), "");
  assert.deepEqual(await queue.outcomes("unknown"), [["exited", 127]]);
  assert.match((await queue.job("unknown")).lastError ?? "", /no-such-program-anywhere.*not found/);
  assert.deepEqual(await queue.outcomes("signal"), [["signaled", 137]]);
  assert.equal((await queue.job("signal")).lastError, "Command was ended by SIGKILL");
}, { ignore: posixOnly("commands of /bin/sh") });

queueTest(
  "what a command leaves in the background does not keep its job open, and is left alone",
  async (queue) => {
    const wait = untilFile("go");
    await queue.enqueue(
      { id: "a", command: `(${wait}; touch ended) & setsid sh -c '${wait}; touch ended2' & echo done` },
      { id: "b", command: "echo next" },
    );
    const manager = queue.start("--drain");
    // It ends although both of them still run.
    assert.equal((await manager.status).code, 0);
    assert.equal((await queue.store.lastOutput("a"))?.output, "done\n");
    assert.deepEqual(queue.spooled(), []);
    queue.touch("go");
    await waitFor("the end of what is in the background", () => exists(queue.path));
    assert.deepEqual(queue.spooled(), []);
  },
  { ignore: leftOut(Deno.build.os !== "linux", "Only on Linux: setsid") },
);

function exists(path: string): boolean {
  const names = [...Deno.readDirSync(path)].map((entry) => entry.name);
  return names.includes("ended") && names.includes("ended2");
}

queueTest("a list of arguments reaches its program as it is", async (queue) => {
  const words = ["a b", "$HOME", "it's", "*", "", "--", "\\n", "`id`", "~", "x\ny", "$$", "!"];
  await Deno.writeTextFile(
    `${queue.path}/show args`,
    '#!/bin/sh\n{ pwd; printf "%s\\n" "$#"; printf "<%s>" "$@"; } >shown\n',
    { mode: 0o700 },
  );
  await queue.run("enqueue", "--id", "shown", "--", "./show args", ...words);
  // These the shell knows too, and does something else.
  await queue.run("enqueue", "--id", "program", "--", "test", "$$", "=", "$$");
  await queue.run("enqueue", "--id", "unknown", "--max-retries", "0", "--", "no-such-program-anywhere", "x");
  assert.equal((await queue.start("--drain").status).code, 1);
  const shown = `${queue.path}\n${words.length}\n${words.map((word) => `<${word}>`).join("")}`;
  assert.equal(queue.read("shown"), shown);
  assert.deepEqual(await queue.outcomes("program"), [["exited", 0]]);
  assert.deepEqual(await queue.outcomes("unknown"), [["exited", 127]]);
}, { ignore: posixOnly("commands of /bin/sh") });

queueTest(
  "a job that exits with 75 is run again later, however often, and none of its attempts counts",
  async (queue) => {
    // It is content with its third run.
    const command = steps(
      note(variable("QUEUECTL_ATTEMPT"), "ran"),
      complain("busy"),
      isWindows
        ? "if exist two (true) else if exist one (touch two&exit 75) else (touch one&exit 75)"
        : '[ "$(wc -l <ran)" -ge 3 ] || exit 75',
    );
    await queue.enqueue({ id: "later", command, maxRetries: 0 });
    const manager = queue.start("--drain");
    assert.equal((await manager.status).code, 0);
    assert.equal(queue.read("ran"), "1\n1\n1\n");
    assert.deepEqual(await queue.outcomes("later"), [["exited", 75], ["exited", 75], ["exited", 0]]);
    const { state, attempts } = await queue.job("later");
    assert.deepEqual([state, attempts], ["completed", 1]);
    await manager.line(/Worker-1: job later asks for a later try, in 1s$/);
  },
);

queueTest(
  "a job that is put off is started when its time has come, and drain waits for it",
  async (queue) => {
    await queue.run("enqueue", "--id", "later", "--delay", "1500ms", "--", "touch", "later");
    assert.equal((await queue.start("--drain").status).code, 0);
    const [attempt, ...others] = await queue.store.attempts("later");
    assert.deepEqual([attempt.outcome, others], ["exited", []]);
    const { createdAt } = await queue.job("later");
    assert.ok(attempt.startedAt >= createdAt + 1500, JSON.stringify([createdAt, attempt]));
  },
);

queueTest(
  "enqueue --wait ends with its job, as that has ended; of several jobs with 1 where one failed",
  async (queue) => {
    const manager = queue.start();
    await manager.line(/Worker-1: started$/);
    const cases: Array<[string[], number, string, RegExp]> = [
      [["--id", "good", "true"], 0, "Job good inserted.\n", /^$/],
      [
        ["--id", "bad", "--max-retries", "0", "--print-id", "exit 9"],
        9,
        "bad\n",
        /^Job bad is dead: exit code 9\n$/,
      ],
      [["--file", "lines"], 1, "2 jobs inserted.\n", /^Job several is dead: exit code 7\n$/],
    ];
    await Deno.writeTextFile(
      `${queue.path}/lines`,
      '{"id": "several", "command": "exit 7", "max_retries": 0}\ntrue\n',
    );
    for (const [args, code, stdout, stderr] of cases) {
      const result = await queue.run("enqueue", "--wait", ...args);
      assert.deepEqual([result.code, result.stdout], [code, stdout], args.join(" "));
      assert.match(result.stderr, stderr);
    }
  },
);
