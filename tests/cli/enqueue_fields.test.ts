import assert from "node:assert/strict";
import {
  type FieldFlags,
  fieldsOfFlags,
  refuseTwice,
  withFields,
} from "../../src/cli/arguments/enqueue_fields.ts";
import { QueuectlError } from "../../src/base/errors.ts";
import type { JobFields } from "../../src/job/job_fields.ts";
import { checkNewJob } from "../../src/job/new_job.ts";

Deno.test("flags are fields of the job", () => {
  const cases: Array<[FieldFlags, Partial<JobFields>]> = [
    [{}, {}],
    [
      { id: "a", priority: "-5", timeout: "10m", "max-retries": "0", "base-backoff": "1.5", cwd: "sub" },
      { id: "a", priority: -5, timeout: "10m", max_retries: 0, base_backoff: 1.5, cwd: "sub" },
    ],
    [{ env: ["A=1", "B=", "C=a=b", "A=2"] }, { env: { A: "2", B: "", C: "a=b" } }],
    [{ delay: "90" }, { delay: "90" }],
    [{ at: "2026-12-24T18:00" }, { at: "2026-12-24T18:00" }],
    [{ "retry-on": "1, 70-72" }, { retry_on: [1, 70, 71, 72] }],
    [{ "retry-on": "-1" }, { retry_on: [-1] }],
    [{ "retry-on": "-5--3,4294967295" }, { retry_on: [-5, -4, -3, -1] }],
    [{ "retry-on": "3221225477-0xC0000006" }, { retry_on: [-1_073_741_819, -1_073_741_818] }],
    [{ "no-retry-on": "0xC000013A" }, { no_retry_on: [-1_073_741_510] }],
  ];
  for (const [flags, fields] of cases) assert.deepEqual(fieldsOfFlags(flags), fields);
});

Deno.test("a flag takes every number that JSON takes, and means the same by it", () => {
  const numbers = [
    "0",
    "1",
    "007",
    "1.0",
    "1e0",
    "1E+2",
    "5e-1",
    "0.333333333333",
    "0.0000000000001",
    "-1",
    "-2.5",
  ];
  const durations = [...numbers, "1e3", "1e300", "0.00001"];
  const cases: Array<[flag: keyof FieldFlags & string, texts: readonly string[]]> = [
    ["priority", numbers],
    ["max-retries", numbers],
    ["base-backoff", numbers],
    ["jitter", numbers],
    ["timeout", durations],
    ["delay", durations],
    ["max-backoff", durations],
  ];
  const outcome = (check: () => unknown) => {
    try {
      return check();
    } catch (error) {
      if (error instanceof QueuectlError) return error.code;
      throw error;
    }
  };
  const job = (fields: object) => checkNewJob({ id: "a", command: "true", ...fields }, String);
  for (const [flag, texts] of cases) {
    for (const text of texts) {
      const given = outcome(() => job(fieldsOfFlags({ [flag]: text })));
      const meant = outcome(() => job({ [flag.replaceAll("-", "_")]: Number(text) }));
      assert.deepEqual(given, meant, `--${flag} ${text}`);
    }
  }
});

Deno.test("a wrong flag is named", () => {
  const cases: Array<[FieldFlags, RegExp]> = [
    [{ id: "" }, /^Flag --id must be 1 to 255 characters long$/],
    [{ id: "-a" }, /^Flag --id must not begin with "-"/],
    [{ priority: "high" }, /^Flag --priority must be a whole number from -1000000 to 1000000$/],
    [{ priority: "1.5" }, /^Flag --priority must be/],
    [{ "max-retries": "1001" }, /^Flag --max-retries must be a whole number from 0 to 1000$/],
    [{ "max-retries": "0x1" }, /^Flag --max-retries must be/],
    [{ "base-backoff": "-1" }, /^Flag --base-backoff must be a number of seconds from 0 to 1000$/],
    [{ timeout: "soon" }, /^Flag --timeout must be a number of seconds or a duration/],
    [{ delay: "-1s" }, /^Flag --delay must be/],
    [{ at: "18:00" }, /^Flag --at must be a time like/],
    [{ at: "2026-12-24T18:00", delay: "1s" }, /^Only one of the flags --delay and --at can be given$/],
    [{ cwd: "/caf\uFFFD" }, /^Flag --cwd is not valid UTF-8, and would be changed: "\/caf\uFFFD"/],
    [{ env: ["A=\uFFFD"] }, /^Flag --env is not valid UTF-8/],
    ...["0", "-1-1", "x", "", "1,", "5-1", "-1--5", "4294967296", "-2147483649", "1.5", "0x1FFFFFFFF"]
      .map((statuses): [FieldFlags, RegExp] => [
        { "retry-on": statuses },
        /^Each of flag --retry-on must be a whole number from -2147483648 to 4294967295, and not 0$/,
      ]),
    [{ "no-retry-on": "1-2147483647" }, /^Flag --no-retry-on must have at most 1000 exit statuses$/],
    [{ cwd: "" }, /^Flag --cwd must not be empty$/],
    [{ env: ["A=1", "B"] }, /^Flag --env takes NAME=VALUE, not "B"$/],
    [{ env: ["=x"] }, /^Flag --env takes NAME=VALUE, not "=x"$/],
    [{ env: ["A B=x"] }, /^Flag --env has a name that is not made of letters/],
    [{ env: ["A=\ud800"] }, /^Each value of flag --env must not contain half/],
  ];
  for (const [flags, message] of cases) {
    assert.throws(() => fieldsOfFlags(flags), { code: "usage", message }, JSON.stringify(flags));
  }
});

Deno.test("JSON goes before the fields; variables go together", () => {
  const cases: Array<[unknown, Partial<JobFields>, unknown]> = [
    [{ command: "x", priority: 1 }, { priority: 2, cwd: "/a" }, { command: "x", priority: 1, cwd: "/a" }],
    [{ env: { A: "1" } }, { env: { A: "2", B: "3" } }, { env: { A: "1", B: "3" } }],
    [{ command: "x" }, { env: { A: "1" } }, { command: "x", env: { A: "1" } }],
    [{ env: "wrong" }, { env: { A: "1" } }, { env: "wrong" }],
    [{ at: "2026-12-24" }, { delay: "1s" }, { at: "2026-12-24" }],
    [{ delay: 0 }, { at: "2026-12-24" }, { delay: 0 }],
    [{}, { delay: "1s" }, { delay: "1s" }],
    [[], { delay: "1s" }, []],
    [null, { delay: "1s" }, null],
  ];
  for (const [value, fields, expected] of cases) assert.deepEqual(withFields(value, fields), expected);
  const hostile = withFields(JSON.parse('{"__proto__": {"id": "x"}}'), { priority: 1 }) as object;
  assert.ok(Object.hasOwn(hostile, "__proto__"), "an unknown field stays one");
});

Deno.test("a field that one job is given twice is refused", () => {
  assert.throws(() => refuseTwice({ max_retries: 1 }, { max_retries: 1 }), {
    code: "usage",
    message: 'Field "max_retries" is in the JSON, so --max-retries cannot be given too',
  });
  assert.throws(
    () => refuseTwice({ at: "2026-12-24" }, { delay: "1s" }),
    /^QueuectlError: Field "at" .* --delay cannot/,
  );
  for (const value of [{ id: "a" }, {}, null, []]) refuseTwice(value, { priority: 1 });
});
