/** logs -f --all: every job at once. */

import assert from "node:assert/strict";
import { startProgram } from "../helpers/following.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { watchManager } from "../helpers/manager.ts";
import { programCommand } from "../helpers/program.ts";
import { programTest } from "../helpers/program_test.ts";
import { queueTest } from "../helpers/queue_test.ts";
import { complain, steps, unended, untilFile } from "../helpers/shell_commands.ts";
import { hasTerminal, startInTerminal } from "../helpers/terminal.ts";

queueTest("logs -f --all follows what runs and what is started, a line each with its job", async (queue) => {
  const early = Array.from({ length: 12 }, (_, index) => `echo early ${index + 1}`);
  await queue.enqueue({ id: "early", command: steps(...early, untilFile("go"), unended("end")) });
  const manager = queue.start("--concurrency", "4");
  await manager.line(/picked job early/);
  await startProgram(queue, ["logs", "-f", "early"]).line(/^early 12$/);
  const follower = startProgram(queue, ["logs", "-f", "--all"]);
  await follower.line(/^early \| early 12$/);
  assert.ok(!follower.lines.includes("early | early 2"));
  assert.ok(follower.lines.includes("early | early 3"));
  await queue.enqueue(
    { id: "late", command: steps("echo begun", untilFile("go"), "echo done") },
    { id: "bad", command: steps(complain("wrong"), "exit 3"), maxRetries: 0 },
  );
  await follower.line(/^late \| begun$/);
  await follower.line(/^bad \| wrong$/);
  await follower.line(/^Attempt 1 of job bad failed after \S+: exit code 3$/);
  queue.touch("go");
  await follower.line(/^late \| done$/);
  // A line without an end is printed when its run has ended.
  await follower.line(/^early \| end$/);
});

queueTest("logs -f --all misses none of many short jobs", async (queue) => {
  const first = { id: "first", command: steps("echo there", untilFile("go")) };
  await queue.enqueue(first);
  const manager = queue.start("--concurrency", "4");
  await manager.line(/picked job first/);
  const follower = startProgram(queue, ["logs", "-f", "--all"]);
  await follower.line(/^first \| there$/);
  const ids = Array.from({ length: 60 }, (_, index) => `job-${index + 1}`);
  await queue.enqueue(...ids.map((id) => ({ id, command: `echo I am ${id}` })));
  for (const id of ids) await follower.line(new RegExp(`^${id} \\| I am ${id}$`));
  queue.touch("go");
  await queue.reaches("first", "completed");
  const counts = Map.groupBy(follower.lines, (line) => line);
  assert.deepEqual(ids.filter((id) => counts.get(`${id} | I am ${id}`)!.length !== 1), []);
});

queueTest("in a terminal each job has a colour of its own, unless NO_COLOR is set", async (queue) => {
  await queue.enqueue(
    ...["a", "b"].map((id) => ({ id, command: `printf 'I\\033[2J\\n'; ${untilFile("go")}` })),
  );
  queue.start("--concurrency", "2");
  const { NO_COLOR: _, ...plain } = queue.env;
  const terminal = (env: Record<string, string>) => {
    const terminal = startInTerminal(["logs", "-f", "--all"], queue.path, env);
    queue.watch(terminal.manager);
    return terminal;
  };
  const coloured = terminal({ ...plain, NO_COLOR: "" });
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  await coloured.manager.line(/^\x1b\[36m(a|b)\x1b\[0m \| I\\x1b\[2J$/);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  await coloured.manager.line(/^\x1b\[33m(a|b)\x1b\[0m \| I\\x1b\[2J$/);
  await coloured.type("\x03");
  await coloured.manager.status;
  await coloured.close();
  const colourless = terminal({ ...plain, NO_COLOR: "1" });
  await colourless.manager.line(/^a \| I\\x1b\[2J$/);
  await colourless.type("\x03");
  await colourless.manager.status;
  await colourless.close();
  queue.touch("go");
  await queue.reaches("b", "completed");
}, { ignore: !hasTerminal });

programTest(
  "logs -f --all of a queue that is not there yet begins with its first job",
  async ({ path, env, run, assertUntouched }) => {
    const follower = watchManager(
      programCommand(["follow", "-f", "--all"], {
        cwd: path,
        env,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
    try {
      await follower.line(/^There is no queue in .* yet; the output of its jobs will appear here$/);
      await assertUntouched();
      await run(["enqueue", '{"id": "a", "command": "echo first&&exit 3", "max_retries": 0}']);
      await run(["worker", "start", "--drain"]);
      await follower.line(/^a \| first$/);
      await follower.line(/^Attempt 1 of job a failed after \S+: exit code 3$/);
      await run(["enqueue", '{"id": "b", "command": "echo second"}']);
      await run(["worker", "start", "--drain"]);
      await follower.line(/^b \| second$/);
      assert.equal(follower.lines.filter((line) => line === "a | first").length, 1);
    } finally {
      follower.signal("SIGKILL");
      await Promise.all([follower.status, follower.closed]);
    }
  },
);

queueTest("logs -f --all prints lines without an end while their jobs run", async (queue) => {
  queue.start("--concurrency", "4");
  const follower = startProgram(queue, ["logs", "-f", "--all"]);
  // It is there once it has shown something.
  await queue.enqueue({ id: "first", command: `while [ ! -e seen ]; do echo x; sleep 0.05; done` });
  await follower.line(/^first \| x$/);
  queue.touch("seen");
  await queue.enqueue(
    {
      id: "drawn",
      command: `printf '1 %%\\r'; ${untilFile("more")}; printf '2 %%\\r'; ${untilFile("go")}; echo`,
    },
    { id: "dots", command: `${untilFile("more")}; printf ...; ${untilFile("go")}; echo end` },
  );
  await follower.line(/^drawn \| 1 %$/);
  queue.touch("more");
  await follower.line(/^drawn \| 2 %$/);
  await queue.reaches("first", "completed");
  // Another one's line ends one that is open.
  await queue.enqueue({ id: "other", command: "while [ ! -e go ]; do echo y; sleep 0.05; done" });
  await follower.line(/^dots \| \.\.\.$/);
  queue.touch("go");
  await follower.line(/^dots \| end$/);
}, { ignore: posixOnly("commands that print any bytes") });

queueTest("logs -f --queue follows the jobs of these queues alone", async (queue) => {
  await queue.enqueue(
    { id: "runs", command: steps("echo there", untilFile("go")), queue: "b" },
    { id: "other", command: steps("echo there", untilFile("go")) },
    { id: "old", command: "true", queue: "a" },
  );
  const manager = queue.start("--concurrency", "9");
  await manager.line(/picked job other/);
  const follower = startProgram(queue, ["follow", "--queue", "a,b"]);
  await follower.line(/^runs \| there$/);
  await queue.enqueue(
    { id: "not", command: steps("echo begun", "exit 1"), maxRetries: 0, priority: 1 },
    { id: "first", command: "echo begun", queue: "a" },
  );
  await follower.line(/^first \| begun$/);
  await queue.reaches("not", "dead");
  queue.touch("go");
  await queue.enqueue({ id: "last", command: "echo begun", queue: "b" });
  await follower.line(/^last \| begun$/);
  // Whoever follows a queue may do so before its first job is there.
  const early = startProgram(queue, ["logs", "-f", "--queue", "media"]);
  await early.line(/^There is no queue "media" yet: waiting for its first job$/);
  await queue.enqueue({ id: "movie", command: "echo begun", queue: "media" });
  await early.line(/^movie \| begun$/);
  assert.deepEqual(follower.lines.filter((line) => /not|other/.test(line)), []);
  const cases: Array<[string[], number, RegExp]> = [
    [["--queue", "a"], 2, /^Flag --queue needs --follow/],
    [["-f", "--queue", "a", "--all"], 2, /not both/],
    [["-f", "--queue", "a", "first"], 2, /not both/],
  ];
  for (const [args, code, message] of cases) {
    const ended = await queue.run("logs", ...args);
    assert.equal(ended.code, code);
    assert.match(ended.stderr, message);
  }
});
