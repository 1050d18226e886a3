import assert from "node:assert/strict";
import { join } from "node:path";
import { posixOnly } from "../helpers/left_out.ts";
import { type ProgramSubject, programTest } from "../helpers/program_test.ts";

const windows = Deno.build.os === "windows";
/** What is said of JSON that has lost its quotes. */
const quoting = windows
  ? /^Invalid JSON: .* cmd\.exe takes /
  : /^Invalid JSON: .*\. Run queuectl enqueue --help for how to quote it$/;
const created = "Database schema initialized successfully.\n";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function ids({ run }: ProgramSubject): Promise<string[]> {
  const { stdout } = await run(["list", "--json"]);
  return JSON.parse(stdout).map((job: { id: string }) => job.id);
}

programTest("enqueue stores a job, says its id, and says once that the database was made", async (test) => {
  const first = await test.run(["enqueue", '{"command": "echo hello"}']);
  assert.equal(first.code, 0);
  assert.equal(first.stderr, created);
  const id = /^Job (\S+) inserted\.\n$/.exec(first.stdout)![1];
  assert.match(id, uuid);
  const second = await test.run(["enqueue", "--%", "--json", '{"id": "a b", "command": "x"}']);
  assert.deepEqual(second, { code: 0, stdout: '[\n"a b"\n]\n', stderr: "" });
  assert.deepEqual(await ids(test), [id, "a b"]);
});

programTest(
  "a job is stored as it was described, with the stored settings for what is left open",
  async (test) => {
    await test.run(["config", "set", "max-retries", "7"]);
    const described = {
      id: "full",
      command: "make",
      attempts: 1,
      max_retries: 0,
      priority: -5,
      timeout: "1.5s",
      base_backoff: 0.5,
      cwd: "sub",
      env: { A: "b\n" },
      state: "dead",
      created_at: "long ago",
    };
    const input = `${JSON.stringify(described)}\n{"id": "plain", "command": "x"}\n`;
    assert.equal((await test.run(["enqueue", "-"], input)).stdout, "2 jobs inserted.\n");
    const [full, plain] = JSON.parse((await test.run(["list", "--json"])).stdout);
    assert.match(full.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const { created_at: _, updated_at: __, ...rest } = full;
    assert.deepEqual(rest, {
      id: "full",
      command: "make",
      state: "pending",
      attempts: 1,
      max_retries: 0,
      next_attempt_at: null,
      last_error: null,
      output: null,
      error_output: null,
      priority: -5,
      timeout: 1.5,
      base_backoff: 0.5,
      cwd: join(test.path, "sub"),
      env: { A: "b\n" },
      queue: "default",
      tags: [],
      unique: null,
      backoff: null,
      max_backoff: null,
      jitter: null,
      retry_on: null,
      no_retry_on: null,
      held: false,
      blocked: 0,
    });
    assert.equal(plain.max_retries, 7);
  },
);

programTest("a bad job is refused in one line, and no database is made for it", async (test) => {
  const cases: Array<[string, RegExp]> = [
    [
      '{"command": ',
      windows ? /^Invalid JSON: .* cmd\.exe takes / : /^Invalid JSON: .* Run queuectl enqueue --help/,
    ],
    ["{command: x}", /^Invalid JSON: /],
    ["", /^The command is empty$/],
    ["[]", /^A job must be a JSON object/],
    ["{}", /^Field "command" is missing$/],
    ['{"command": "x", "\\u001bcomand": 1}', /^Unknown field "\\x1bcomand" \(did you mean "command"\?\)$/],
  ];
  for (const [argument, message] of cases) {
    const { code, stdout, stderr } = await test.run(["enqueue", argument]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" }, argument);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.match(stderr.trimEnd(), message);
  }
  const lines = await test.run(["enqueue", "-"], "\n{}\n");
  assert.deepEqual(lines, { code: 2, stdout: "", stderr: 'Line 2: Field "command" is missing\n' });
  await test.assertUntouched();
});

programTest("an id that exists is a conflict, and nothing is stored", async (test) => {
  await test.run(["enqueue", '{"id": "a", "command": "x"}']);
  const again = await test.run(["enqueue", '{"id": "a", "command": "y"}']);
  assert.deepEqual([again.code, again.stdout], [4, ""]);
  assert.match(again.stderr, /^A job with id "a" exists already/);
  const lines = await test.run(
    ["enqueue", "-"],
    '{"id": "b", "command": "x"}\n{"id": "a", "command": "x"}\n',
  );
  assert.deepEqual([lines.code, lines.stdout], [4, ""]);
  const twice = await test.run(
    ["enqueue", "-"],
    '{"id": "b", "command": "x"}\n{"id": "b", "command": "x"}\n',
  );
  assert.deepEqual(twice, { code: 4, stdout: "", stderr: 'Line 2: The id "b" is there twice\n' });
  const among = Array.from({ length: 100 }, (_, line) => `{"id": "${line % 70}", "command": "x"}`).join(
    "\n\n",
  );
  const later = await test.run(["enqueue", "-"], among);
  assert.deepEqual(later, { code: 4, stdout: "", stderr: 'Line 141: The id "0" is there twice\n' });
  assert.deepEqual(await ids(test), ["a"]);
});

programTest("enqueue - stores all lines in their order, or none", async (test) => {
  const empty = await test.run(["enqueue", "-"], "\n \n");
  assert.deepEqual(empty, { code: 0, stdout: "0 jobs inserted.\n", stderr: "" });
  const one = await test.run(["enqueue", "-"], '\uFEFF{"id": "one", "command": "x"}\r\n');
  assert.deepEqual(one, { code: 0, stdout: "1 job inserted.\n", stderr: created });

  const names = Array.from({ length: 5000 }, (_, index) => `job-${index}`);
  const stdin = names.map((id) => JSON.stringify({ id, command: `echo ${id}` })).join("\n");
  const bad = await test.run(["enqueue", "-"], `${stdin}\n\n{"command": 5}\n`);
  assert.deepEqual(bad, { code: 2, stdout: "", stderr: 'Line 5002: Field "command" must be text\n' });
  assert.deepEqual(await ids(test), ["one"]);

  const good = await test.run(["enqueue", "-", "--json"], stdin);
  assert.deepEqual([good.code, good.stderr], [0, ""]);
  assert.deepEqual(JSON.parse(good.stdout), names);
  const listed = await test.run(["list", "--limit", "5001"]);
  assert.deepEqual(
    listed.stdout.trimEnd().split("\n").slice(2).map((row) => row.split(" ")[0]),
    ["one", ...names],
  );
});

const posix = () => ({ ignore: posixOnly("commands of /bin/sh") });

async function stored({ run }: ProgramSubject) {
  return JSON.parse((await run(["list", "--json"])).stdout);
}

programTest("a command and a list of arguments run where they were put in", async (test) => {
  assert.equal((await test.run(["enqueue", "--id", "shell", "ls | wc -l"])).stdout, "Job shell inserted.\n");
  assert.equal((await test.run(["enqueue", "--id", "words", "--", "ls", "-l", "a b", "--id", "c"])).code, 0);
  await test.run(["enqueue", "--cwd", "sub", "--id", "elsewhere", "ls"]);
  await test.run(["enqueue", "--id", "json", '{"command": "ls"}']);
  assert.deepEqual(
    (await stored(test)).map(({ id, command, cwd }: Record<string, string>) => [id, command, cwd]),
    [
      ["shell", "ls | wc -l", test.path],
      ["words", "ls -l 'a b' --id c", test.path],
      ["elsewhere", "ls", join(test.path, "sub")],
      ["json", "ls", null],
    ],
  );
}, posix());

programTest("flags are the fields of a job, and what is printed can be chosen", async (test) => {
  const flags = [
    ...["--id", "a", "--priority", "-5", "--timeout", "10m", "--max-retries", "1", "--base-backoff", "0.5"],
    ...["--env", "A=1", "--env=B=x y", "--print-id", "--at", "2126-12-24T18:00Z"],
  ];
  assert.deepEqual(await test.run(["enqueue", ...flags, "x"]), { code: 0, stdout: "a\n", stderr: created });
  const [{ priority, timeout, max_retries, base_backoff, env, state, next_attempt_at }] = await stored(test);
  assert.deepEqual(
    { priority, timeout, max_retries, base_backoff, env, state, next_attempt_at },
    {
      ...{ priority: -5, timeout: 600, max_retries: 1, base_backoff: 0.5, env: { A: "1", B: "x y" } },
      ...{ state: "pending", next_attempt_at: "2126-12-24T18:00:00.000Z" },
    },
  );
  const second = await test.run(["enqueue", "--json", "--id", "b", "--delay", "1h", '{"command": "x"}']);
  assert.equal(second.stdout, '[\n"b"\n]\n');
  const [, { created_at, next_attempt_at: due }] = await stored(test);
  assert.equal(Date.parse(due) - Date.parse(created_at), 3_600_000);
  assert.equal((await test.run(["enqueue", "--id", "c", "--at", "1999-12-31", "x"])).code, 0);
  assert.equal((await stored(test))[2].next_attempt_at, null);
});

programTest("lines are JSON or shell text, with the flags for what they leave open", async (test) => {
  const input =
    'echo 1\r\n\n  {"id": "two", "command": "echo 2", "priority": 7, "env": {"B": "line"}}\r\n echo 3 \\';
  const flags = ["--priority", "2", "--env", "A=flag", "--env", "B=flag", "--delay", "1h"];
  const { code, stdout } = await test.run(["enqueue", "-", ...flags, "--print-id"], input);
  const jobs = await stored(test);
  assert.equal(code, 0);
  assert.equal(stdout, jobs.map(({ id }: { id: string }) => `${id}\n`).join(""));
  const env = { A: "flag", B: "flag" };
  assert.deepEqual(
    jobs.map((job: Record<string, unknown>) => [job.command, job.priority, job.env, job.cwd]),
    [
      ["echo 1", 2, env, test.path],
      ["echo 2", 7, { A: "flag", B: "line" }, null],
      [" echo 3 \\", 2, env, test.path],
    ],
  );
  assert.ok(jobs.every(({ next_attempt_at }: Record<string, unknown>) => next_attempt_at !== null));

  await Deno.writeTextFile(`${test.path}/jobs.txt`, "echo 4\necho 5\n");
  assert.equal(
    (await test.run(["enqueue", "--file", "jobs.txt", "--cwd", "/"])).stdout,
    "2 jobs inserted.\n",
  );
  assert.equal((await test.run(["enqueue", "--file", "-"], "echo 6")).stdout, "1 job inserted.\n");
  assert.deepEqual((await stored(test)).slice(3).map(({ command }: { command: string }) => command), [
    "echo 4",
    "echo 5",
    "echo 6",
  ]);
}, posix());

programTest("a folder that is not there is told, and the job stored all the same", async (test) => {
  const message =
    /^Flag --cwd: there is no folder ".*nowhere" on this host; the command fails here until there is$/m;
  for (const command of [["x"], ["--", "x"], ['{"command": "x"}'], ["-"]]) {
    const { code, stderr } = await test.run(["enqueue", "--cwd", "nowhere", ...command], "x\n");
    assert.equal(code, 0, stderr);
    assert.match(stderr, message);
  }
  assert.equal((await test.run(["enqueue", "--cwd", ".", "x"])).stderr, "");
  assert.equal((await ids(test)).length, 5);
});

programTest("what is wrong with a command line is told in one line, and nothing is stored", async (test) => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/jobs`, "echo 1\n[1]\n");
  const systemFile = /^Cannot read \/proc\/cpuinfo: files in .* cannot be used$/;
  await Deno.writeTextFile(`${folder}/groups`, "{ echo x; }\n");
  const cases: Array<[string[], RegExp]> = [
    [[], /^Give a command to run/],
    [["echo", "hi"], /^Unexpected argument "hi"/],
    [["--"], /^The command is empty/],
    [["--", ""], /^The command is empty/],
    [["--", "--id", "a"], /^No program is called "--id"/],
    [["ls", "--", "ls"], /^Only one of/],
    [["--file", "x", "ls"], /^Only one of/],
    [
      ["--file", "no\nfile"],
      windows ? /^Cannot read no↵file: / : /^Cannot read no↵file: there is no such file$/,
    ],
    [["--file", folder], /^Cannot read .*: it is a folder$/],
    ...Deno.build.os === "linux" ? [[["--file", "/proc/cpuinfo"], systemFile] as [string[], RegExp]] : [],
    [["--file", `${folder}/jobs`], /^Line 2: A job must be a JSON object/],
    [["--file", `${folder}/jobs`, "--id", "a"], /^Flag --id names one job/],
    [["--json", "--print-id", "ls"], /^Only one of the flags --json and --print-id/],
    [["--id=-a", "ls"], /^Flag --id must not begin with "-"/],
    [["--id", "a", "--id", "b", "ls"], /^Flag --id is given twice/],
    [["--priority", "high", "ls"], /^Flag --priority must be a whole number/],
    [["--prioritiy", "1", "ls"], /^Unknown flag "--prioritiy" \(did you mean "--priority"\?\)/],
    [["--at", "tomorrow", "ls"], /^Flag --at must be a time/],
    [["--env", "A", "ls"], /^Flag --env takes NAME=VALUE/],
    [
      ["ls", "-l"],
      /^Unknown flag "-l": a command for the shell is one argument, .*queuectl enqueue -- COMMAND/,
    ],
    [["{ echo x; }"], /^Invalid JSON: .*\. A command that begins with "\{" is given as \{"command": /],
    [["--priority", "1", "{ echo x; }"], /^Invalid JSON: .*\. A command that begins with "\{"/],
    [["{command: x}"], quoting],
    [["{ command: x }"], quoting],
    [["--", "cat", "caf\uFFFD"], /^An argument is not valid UTF-8/],
    [["--on-duplicate", "keep", "ls"], /^Flag --on-duplicate .* --unique KEY$/],
    [["--on-duplicate", "keep", '{"command": "x"}'], /^Flag --on-duplicate .* --unique KEY$/],
    [["--on-duplicate", "keep", "--file", `${folder}/jobs`], /^Line 1: Flag --on-duplicate .* --unique KEY$/],
    [["--file", `${folder}/groups`], /^Line 1: Invalid JSON: .*\. A command that begins with "\{"/],
    [["--priority", "1", '{"command": "x", "priority": 2}'], /^Field "priority" is in the JSON/],
    [["--delay", "1s", '{"command": "x", "at": "2126-12-24"}'], /^Field "at" is in the JSON, so --delay/],
  ];
  try {
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await test.run(["enqueue", ...args]);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" }, args.join(" "));
      assert.match(stderr, /^[^\n]+\n$/);
      assert.match(stderr.trimEnd(), message);
    }
    await test.assertUntouched();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
