import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ago,
  cutEnd,
  cutStart,
  deadJobTable,
  json,
  jsonArray,
  tableText,
} from "../../src/cli/output/output.ts";
import { jobTable } from "../../src/cli/output/job_columns.ts";
import { processTable } from "../../src/cli/output/process_output.ts";
import { printable, printableLines, unseenCharacter } from "../../src/base/printable.ts";
import type { Job } from "../../src/job/job.ts";
import type { RegisteredProcess } from "../../src/store/store.ts";
import { plainFields } from "../store/suite/harness.ts";

const job: Job = {
  id: "a1",
  command: "echo hello",
  state: "pending",
  attempts: 0,
  maxRetries: 3,
  priority: 0,
  timeout: null,
  baseBackoff: null,
  cwd: null,
  env: null,
  createdAt: 0,
  updatedAt: 0,
  nextAttemptAt: null,
  lastError: null,
  ...plainFields,
};

const manager: RegisteredProcess = {
  id: 1,
  role: "manager",
  manager: null,
  number: 1,
  concurrency: 0,
  identity: { host: "box/4026531836", boot: "b", pid: 11, start: "s" },
  startedAt: 0,
  heartbeatAt: 97_000,
  silentFor: 3000,
  expired: false,
  stop: null,
  pace: null,
  running: [],
};

Deno.test("printable text is one line without anything that a terminal obeys", () => {
  const cases: Array<[string, string]> = [
    ["plain äß 日本 🎉", "plain äß 日本 🎉"],
    ["a\nb\r\nc\rd", "a↵b↵c↵d"],
    ["a\tb", "a b"],
    ["\x1b[31mred\x07", "\\x1b[31mred\\x07"],
    ["\x9b31m\x7f\0", "\\x9b31m\\x7f\\x00"],
    ["\u202etxt.exe\u2066\u2028", "\\u202etxt.exe\\u2066\\u2028"],
    ["a\u200bb\u2060\ufeff\u00ad", "a\\u200bb\\u2060\\ufeff\\xad"],
    ["tag\u{e0041}\u{e007f}", "tag\\u{e0041}\\u{e007f}"],
    ["❤\ufe0f 👩\u200d👧", "❤\\ufe0f 👩\\u200d👧"],
  ];
  for (const [text, expected] of cases) assert.equal(printable(text), expected);
});

Deno.test("outputs of commands keep what joins and varies characters, and nothing that a terminal obeys", () => {
  assert.equal(printableLines("❤\ufe0f 👩\u200d👧 می\u200cخواهم\n"), "❤\ufe0f 👩\u200d👧 می\u200cخواهم\n");
  assert.equal(printableLines("\x1b[2J\u202e\n"), "\\x1b[2J\\u202e\n");
});

Deno.test("the first character that nobody would see is named", () => {
  const cases: Array<[string, string | undefined]> = [
    ["plain äß 日本 🎉", undefined],
    ["a\u200d", "U+200D"],
    ["\u{e0041}a", "U+E0041"],
    ["a\u061c", "U+061C"],
    ["\u3164", "U+3164"],
    ["a\x07", "U+0007"],
    ["❤\ufe0f", "U+FE0F"],
  ];
  for (const [text, expected] of cases) assert.equal(unseenCharacter(text), expected, text);
});

Deno.test("any text becomes JSON of the same value that is safe to show", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
    const line = json([value, text]);
    assert.equal(printable(line), line);
    assert.equal(JSON.stringify(JSON.parse(line)), JSON.stringify([value, text]));
  }));
});

Deno.test("text is cut to a length, never through a character", () => {
  assert.equal(cutEnd("abcdef", 6), "abcdef");
  assert.equal(cutEnd("abcdefg", 6), "abcde…");
  assert.equal(cutEnd("abcd🎉g", 6), "abcd…");
  assert.equal(cutStart("abcdefg", 6), "…cdefg");
  assert.equal(cutStart("a🎉cdef", 6), "…cdef");
});

Deno.test("the job table is the original's", async () => {
  const jobs: Job[] = [{
    ...job,
    id: "1c23b86a-b7a9-4ac1-9cbb-78a4b8c93fa3",
    state: "processing",
    attempts: 12,
  }, {
    ...job,
    command: "printf 'a\nb'",
  }];
  assert.deepEqual((await Array.fromAsync(jobTable(jobs))).join("").split("\n"), [
    "ID                                   | STATE      | ATTEMPTS | COMMAND",
    "--------------------------------------------------------------------------------",
    "1c23b86a-b7a9-4ac1-9cbb-78a4b8c93fa3 | processing |       12 | echo hello",
    "a1                                   | pending    |        0 | printf 'a↵b'",
    "",
  ]);
});

Deno.test("in a pipe the table of dead jobs has whole commands and the end of a long error, and stays one line a job", async () => {
  const rows = (await Array.fromAsync(deadJobTable([
    { ...job, state: "dead", command: "c".repeat(50), lastError: "first\n" + "x".repeat(600) + "\nreason" },
    { ...job, state: "dead" },
  ]))).join("").trimEnd().split("\n");
  assert.equal(rows.length, 4);
  assert.match(rows[0], /^ID {35}\| COMMAND {34}\| LAST ERROR$/);
  assert.match(rows[2], /^a1 {35}\| c{50} \| …x+↵reason$/);
  assert.equal(rows[3], `${"a1".padEnd(36)} | ${"echo hello".padEnd(40)} |`);
});

Deno.test("the process table marks who is not heard of and who was asked to stop", () => {
  const worker = { ...manager, id: 2, role: "worker", manager: 1, number: 2, running: ["x\n", "y"] } as const;
  const table = tableText(processTable([
    manager,
    { ...worker, running: [...worker.running], expired: true },
    { ...worker, number: 3, running: ["1", "2", "3"], stop: { grace: 0 } },
  ]));
  assert.deepEqual(table.split("\n"), [
    "NAME     | HOST | PID | STATE     | JOBS   | STARTED | HEARTBEAT",
    "-".repeat(80),
    "Manager  | box  | 11  | running 5 | -      | 1m ago  | 3s ago",
    "Worker-2 | box  | 11  | silent    | x↵, y  | 1m ago  | 3s ago",
    "Worker-3 | box  | 11  | stopping  | 3 jobs | 1m ago  | 3s ago",
    "",
  ]);
});

Deno.test("a time ago is told in its largest unit, and a clock that was set back is no time ago", () => {
  const cases: Array<[number, string]> = [
    [-5000, "0s ago"],
    [59_999, "59s ago"],
    [60_000, "1m ago"],
    [7_200_000, "2h ago"],
    [3 * 86_400_000, "3d ago"],
  ];
  for (const [milliseconds, expected] of cases) assert.equal(ago(milliseconds), expected);
});

Deno.test("a JSON array is written an element a line", async () => {
  const text = async (elements: unknown[]) => (await Array.fromAsync(jsonArray(elements))).join("");
  assert.equal(await text([]), "[]\n");
  assert.equal(await text(["a", { b: 1 }]), '[\n"a",\n{"b":1}\n]\n');
});
