import assert from "node:assert/strict";
import { join } from "node:path";
import { programTest, type Surroundings } from "../helpers/program_test.ts";

const created = "Database schema initialized successfully.\n";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function ids({ run }: Surroundings): Promise<string[]> {
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
    });
    assert.equal(plain.max_retries, 7);
  },
);

programTest("a bad job is refused in one line, and no database is made for it", async (test) => {
  const cases: Array<[string, RegExp]> = [
    ['{"command": ', /^Invalid JSON: .* Run queuectl enqueue --help/],
    ["{command: x}", /^Invalid JSON: /],
    ["", /^Invalid JSON: /],
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
