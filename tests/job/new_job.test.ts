import assert from "node:assert/strict";
import fc from "fast-check";
import { QueuectlError } from "../../src/base/errors.ts";
import { checkNewJob, parseNewJob, withDefaults } from "../../src/job/new_job.ts";

const resolveFolder = (cwd: string) => `/base/${cwd}`;

Deno.test("a job that gives only its command gets an id and the defaults", () => {
  const job = withDefaults(
    parseNewJob('{"command": "echo hello"}', resolveFolder),
    { maxRetries: 5 },
    new Map(),
  );
  assert.match(job.id, /^[0-9a-f-]{36}$/);
  assert.deepEqual({ ...job, id: "" }, {
    id: "",
    command: "echo hello",
    attempts: 0,
    maxRetries: 5,
    priority: 0,
    timeout: null,
    baseBackoff: null,
    cwd: null,
    env: null,
  });
});

Deno.test("every field that is given is kept", () => {
  const value = {
    id: "a1",
    command: "make",
    attempts: 2,
    max_retries: 0,
    priority: -1,
    timeout: "10m",
    base_backoff: 0,
    cwd: "sub",
    env: { PATH: "/bin", EMPTY: "" },
    state: "completed",
    created_at: null,
    updated_at: 5,
  };
  assert.deepEqual(withDefaults(checkNewJob(value, resolveFolder), { maxRetries: 5 }, new Map()), {
    id: "a1",
    command: "make",
    attempts: 2,
    maxRetries: 0,
    priority: -1,
    timeout: 600_000,
    baseBackoff: 0,
    cwd: "/base/sub",
    env: { PATH: "/bin", EMPTY: "" },
  });
});

Deno.test("one exit status cannot be retried and not retried", () => {
  const job = { command: "x", retry_on: [1, 2], no_retry_on: [2] };
  assert.throws(() => checkNewJob(job, resolveFolder), (error) => {
    assert.ok(error instanceof QueuectlError);
    assert.equal(error.code, "usage");
    return /^Exit status 2 cannot be in both "retry_on" and "no_retry_on"$/.test(error.message);
  });
  // Both spellings are one status.
  assert.throws(
    () =>
      checkNewJob({ command: "x", retry_on: [3_221_225_786], no_retry_on: [-1_073_741_510] }, resolveFolder),
    /^QueuectlError: Exit status -1073741510 cannot be in both/,
  );
  for (const wrong of [0, 1.5, -(2 ** 31) - 1, 2 ** 32, "1", null]) {
    assert.throws(
      () => checkNewJob({ command: "x", retry_on: [1, wrong] }, resolveFolder),
      /: Each of field "retry_on" must be a whole number from -2147483648 to 4294967295, and not 0$/,
    );
  }
  const { retryRules } = checkNewJob({ ...job, no_retry_on: [3] }, resolveFolder);
  assert.deepEqual(retryRules, { retryOn: [1, 2], noRetryOn: [3] });
});

Deno.test("a timeout is seconds or text, and the shortest is not taken for none", () => {
  const cases: Array<[unknown, number]> = [[90, 90_000], [0.5, 500], [0, 0], [0.0001, 1], ["1.5s", 1500], [
    "2",
    2000,
  ]];
  for (const [timeout, expected] of cases) {
    assert.equal(checkNewJob({ command: "x", timeout }, resolveFolder).timeout, expected);
  }
});

Deno.test("a job can be put off: by seconds or text, or until a time", () => {
  const cases: Array<[Record<string, unknown>, { delay?: number; at?: number }]> = [
    [{ delay: 90 }, { delay: 90_000 }],
    [{ delay: "10m" }, { delay: 600_000 }],
    [{ delay: 0 }, { delay: 0 }],
    [{ at: "2026-12-24T18:00Z" }, { at: Date.UTC(2026, 11, 24, 18) }],
    [{ at: "2026-12-24T18:00" }, { at: new Date(2026, 11, 24, 18).getTime() }],
    [{ at: "1999-01-01" }, { at: new Date(1999, 0, 1).getTime() }],
    [{}, {}],
  ];
  for (const [fields, expected] of cases) {
    const { delay, at } = checkNewJob({ command: "x", ...fields }, resolveFolder);
    assert.deepEqual({ delay, at }, { delay: undefined, at: undefined, ...expected }, JSON.stringify(fields));
  }
});

Deno.test("what is not a valid job is refused with the reason", () => {
  const cases: Array<[string, RegExp]> = [
    ["", /^Invalid JSON: /],
    ["{", /^Invalid JSON: /],
    ["null", /^A job must be a JSON object/],
    ["[]", /^A job must be a JSON object/],
    ['"x"', /^A job must be a JSON object/],
    ["{}", /^Field "command" is missing$/],
    ['{"comand": "x"}', /^Unknown field "comand" \(did you mean "command"\?\)$/],
    ['{"command": "x", "__proto__": {}}', /^Unknown field "__proto__"/],
    ['{"command": "x", "toString": 1}', /^Unknown field "toString"/],
    ['{"command": ""}', /^Field "command" must not be empty$/],
    ['{"command": " \\n"}', /^Field "command" must not be empty$/],
    ['{"command": 5}', /^Field "command" must be text$/],
    ['{"command": "a\\u0000b"}', /^Field "command" must not contain a NUL character$/],
    ['{"command": "a\\ud800b"}', /^Field "command" must not contain half of a Unicode character$/],
    [`{"command": "${"ä".repeat(65_536)}"}`, /^Field "command" must be at most 131071 bytes long/],
    ['{"command": "x", "id": ""}', /^Field "id" must be 1 to 255 characters long$/],
    ['{"command": "x", "id": null}', /^Field "id" must be text$/],
    [
      '{"command": "x", "id": "a\\u200d"}',
      /^Field "id" contains a character that cannot be seen \(U\+200D\)/,
    ],
    ['{"command": "x", "id": "a\\u0007"}', /^Field "id" .* \(U\+0007\)/],
    ['{"command": "x", "id": "\\u202ea"}', /^Field "id" .* \(U\+202E\)/],
    ['{"command": "x", "unique": "\\udb40\\udc41"}', /^Field "unique" .* \(U\+E0041\)/],
    ['{"command": "x", "queue": "a\\u3164"}', /^Field "queue" .* \(U\+3164\)/],
    ['{"command": "x", "tags": ["a\\uffa0"]}', /^Each of field "tags" .* \(U\+FFA0\)/],
    ['{"command": "x", "after": ["a\\ufeffb"]}', /^Each of field "after" .* \(U\+FEFF\)/],
    ['{"command": "x", "id": "-a"}', /^Field "id" must not begin with "-"/],
    ['{"command": "x", "id": "a\\n"}', /^Field "id" /],
    ['{"command": "x", "max_retries": -1}', /^Field "max_retries" must be a whole number from 0 to 1000$/],
    ['{"command": "x", "max_retries": 1.5}', /^Field "max_retries" must be/],
    ['{"command": "x", "max_retries": 1e999}', /^Field "max_retries" must be/],
    ['{"command": "x", "max_retries": "3"}', /^Field "max_retries" must be/],
    ['{"command": "x", "attempts": -1}', /^Field "attempts" must be/],
    ['{"command": "x", "priority": 1e7}', /^Field "priority" must be/],
    ['{"command": "x", "timeout": -1}', /^Field "timeout" must be/],
    ['{"command": "x", "timeout": "soon"}', /^Field "timeout" must be/],
    ['{"command": "x", "timeout": 1e300}', /^Field "timeout" must be/],
    ['{"command": "x", "base_backoff": 1001}', /^Field "base_backoff" must be/],
    ['{"command": "x", "cwd": ""}', /^Field "cwd" must not be empty$/],
    ['{"command": "x", "delay": -1}', /^Field "delay" must be a number of seconds or a duration/],
    ['{"command": "x", "delay": "soon"}', /^Field "delay" must be/],
    ['{"command": "x", "at": 5}', /^Field "at" must be text$/],
    ['{"command": "x", "at": "2026-02-30"}', /^Field "at" must be a time like "2026-12-24T18:00"/],
    [
      '{"command": "x", "at": "2026-01-01", "delay": 1}',
      /^Only one of the fields "delay" and "at" can be given$/,
    ],
    ['{"command": "x", "env": []}', /^Field "env" must be an object/],
    ['{"command": "x", "env": "A=b"}', /^Field "env" must be an object/],
    ['{"command": "x", "env": {"A B": "x"}}', /^Field "env" has a name/],
    ['{"command": "x", "env": {"A": 1}}', /^Each value of field "env" must be text$/],
  ];
  for (const [json, message] of cases) {
    assert.throws(() => parseNewJob(json, resolveFolder), { code: "usage", message }, json);
  }
});

Deno.test("any JSON is a valid job or is refused with one clear reason", () => {
  const anything = fc.jsonValue();
  const odd = fc.oneof(
    anything,
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.constantFrom(0, 1, "x", "1s"),
  );
  const named = fc.record({
    command: fc.oneof({ weight: 5, arbitrary: fc.string({ minLength: 1 }) }, odd),
    id: odd,
    attempts: odd,
    max_retries: odd,
    priority: odd,
    timeout: odd,
    base_backoff: odd,
    cwd: odd,
    delay: odd,
    at: odd,
    env: fc.oneof(odd, fc.dictionary(fc.constantFrom("A", "B1", "1", ""), odd)),
    state: odd,
  }, { requiredKeys: ["command"] });
  fc.assert(
    fc.property(fc.oneof(named, anything), (value) => {
      let job;
      try {
        job = withDefaults(parseNewJob(JSON.stringify(value), resolveFolder), { maxRetries: 3 }, new Map());
      } catch (error) {
        assert.ok(error instanceof QueuectlError, String(error));
        assert.equal(error.code, "usage");
        return;
      }
      assert.ok(job.command.trim() !== "" && !job.command.includes("\0") && job.command.isWellFormed());
      assert.ok(job.id.length >= 1 && job.id.length <= 255 && !job.id.startsWith("-"));
      assert.ok(Number.isInteger(job.maxRetries) && job.maxRetries >= 0 && job.maxRetries <= 1000);
      assert.ok(Number.isInteger(job.attempts) && Number.isInteger(job.priority));
      assert.ok(job.timeout === null || Number.isInteger(job.timeout) && job.timeout >= 0);
      assert.ok(job.delay === undefined || Number.isInteger(job.delay) && job.delay >= 0);
      assert.ok(job.at === undefined || Number.isInteger(job.at));
      assert.ok(job.baseBackoff === null || job.baseBackoff >= 0 && job.baseBackoff <= 1000);
      assert.ok(Object.values(job.env ?? {}).every((text) => typeof text === "string"));
    }),
    { numRuns: 1000 },
  );
});
