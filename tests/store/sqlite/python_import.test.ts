/** Taking over a database of the Python program. */

import assert from "node:assert/strict";
import type { Job } from "../../../src/job/job.ts";
import { openStore } from "../../../src/store/open.ts";
import { parsePythonTime } from "../../../src/store/sqlite/python_import.ts";
import { assertSound, queryFile } from "../../helpers/sqlite_database.ts";
import { makePythonDatabase, pythonRows } from "../../helpers/python_database.ts";
import { storeProcesses } from "../../helpers/store_processes.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { claim, ids, jobById, join, plainFields, printed } from "../suite/harness.ts";

/** After everything in the database of the fixture happened, but one job is not due yet. */
const takenOverAt = Date.parse("2026-11-24T02:20:00Z");

async function takeOver(file: string, clock = () => takenOverAt) {
  const notified: string[] = [];
  const options = {
    missing: "create",
    durable: false,
    clock,
    notify: (text: string) => notified.push(text),
  } as const;
  const store = await openStore(file, options);
  return { store, notified };
}

Deno.test("python: every job is taken over, with state, attempts, texts and times, the oldest first", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queuectl.db`;
  makePythonDatabase(file);
  const { store: opened, notified } = await takeOver(file);
  await using store = opened;
  const at = (time: string) => Date.parse(`2026-11-24T${time}Z`);
  const job = (id: string, command: string, fields: Partial<Job>): Job => ({
    ...{
      id,
      command,
      state: "pending",
      attempts: 0,
      maxRetries: 3,
      priority: 0,
      timeout: null,
      baseBackoff: null,
    },
    ...{ cwd: null, env: null, createdAt: 0, updatedAt: 0, nextAttemptAt: null, lastError: null },
    ...plainFields,
    ...fields,
  });
  assert.deepEqual((await store.list({ limit: 100 })).map(({ seq: _, ...job }) => job), [
    job("done-1", "echo Hello QueueCTL", {
      ...{ state: "completed", attempts: 1, createdAt: at("02:11:48.063"), updatedAt: at("02:11:48.594") },
    }),
    job("dead-1", "nonexistent_command", {
      ...{
        state: "dead",
        attempts: 1,
        maxRetries: 0,
        createdAt: at("02:11:48.169"),
        updatedAt: at("02:11:48.602"),
      },
      lastError: "/bin/sh: 1: nonexistent_command: not found",
    }),
    job("failing-1", 'sh -c "echo out; echo err >&2; exit 3"', {
      ...{
        state: "failed",
        attempts: 2,
        maxRetries: 5,
        createdAt: at("02:11:48.279"),
        updatedAt: at("02:11:50.638"),
      },
      ...{ nextAttemptAt: at("02:31:54.638"), lastError: "err" },
    }),
    job("ba25c978-7523-43bd-9a48-e16e61515bdf", 'printf "unicode: é中"', {
      ...{ state: "completed", attempts: 1, createdAt: at("02:11:48.385"), updatedAt: at("02:11:48.622") },
    }),
    job("retried-1", "echo 'it''s' \"retried\"", {
      createdAt: at("02:11:49.500"),
      updatedAt: at("02:11:54.000"),
    }),
    job("running-1", "sleep 30", {
      ...{ state: "failed", createdAt: at("02:11:51.772"), updatedAt: at("02:11:51.967") },
    }),
    job("pending-1", "echo pending", { createdAt: at("02:11:54.522"), updatedAt: at("02:11:54.522") }),
    job("pending-2", "echo two", {
      maxRetries: 1,
      createdAt: at("02:11:54.677"),
      updatedAt: at("02:11:54.677"),
    }),
  ]);
  assert.deepEqual(
    await store.counts(),
    { pending: 3, processing: 0, completed: 2, failed: 2, dead: 1, cancelled: 0 },
  );
  assert.equal(notified.length, 1);
  assert.match(notified[0], /8 jobs.*queuectl\.db\.python-backup$/);
  assert.deepEqual(await store.settings(), [["max_retries", "3"]]);
});

Deno.test("python: what the last run printed is kept with the job", async () => {
  await using folder = await temporaryFolder();
  makePythonDatabase(`${folder.path}/queuectl.db`);
  const { store: opened } = await takeOver(`${folder.path}/queuectl.db`);
  await using store = opened;
  assert.deepEqual(await printed(store, "done-1"), { output: "Hello QueueCTL", errorOutput: "" });
  assert.deepEqual(await printed(store, "failing-1"), { output: "out", errorOutput: "err" });
  const unicode = "ba25c978-7523-43bd-9a48-e16e61515bdf";
  assert.deepEqual(await printed(store, unicode), { output: "unicode: é中", errorOutput: "" });
  assert.equal(await store.lastOutput("pending-1"), null);
  assert.deepEqual((await store.attempts("failing-1")).map(({ number }) => number), [2]);
});

Deno.test("python: a job that was running is due at once; all go on in the order of their age", async () => {
  await using folder = await temporaryFolder();
  makePythonDatabase(`${folder.path}/queuectl.db`);
  let now = takenOverAt;
  const { store: opened } = await takeOver(`${folder.path}/queuectl.db`, () => now);
  await using store = opened;
  const worker = await join(store);
  const claims = await claim(store, worker, 10);
  assert.deepEqual(ids(claims), ["retried-1", "running-1", "pending-1", "pending-2"]);
  assert.deepEqual(claims.map(({ attempt }) => attempt), [1, 1, 1, 1]);
  const due = (await jobById(store, "failing-1")).nextAttemptAt!;
  assert.deepEqual(await store.availability(), { ready: false, dueIn: due - now });
  now = due;
  assert.deepEqual((await claim(store, worker, 10)).map(({ id, attempt }) => [id, attempt]), [[
    "failing-1",
    3,
  ]]);
  assert.deepEqual((await store.dlqRetry(["dead-1"])).ids, ["dead-1"]);
});

Deno.test("python: jobs made within one millisecond keep their order", async () => {
  await using folder = await temporaryFolder();
  const row = (id: string, time: string) =>
    `('${id}', 'true', 'pending', 0, 3, '${time}', '${time}', NULL, NULL, NULL)`;
  makePythonDatabase(`${folder.path}/queuectl.db`, [
    row("second", "2026-11-24T02:11:48.063900Z"),
    row("first", "2026-11-24T02:11:48.063100Z"),
  ]);
  const { store: opened } = await takeOver(`${folder.path}/queuectl.db`);
  await using store = opened;
  assert.deepEqual(ids(await store.list({ limit: 10 })), ["first", "second"]);
});

Deno.test("python: an empty database of it is taken over", async () => {
  await using folder = await temporaryFolder();
  makePythonDatabase(`${folder.path}/queuectl.db`, []);
  const { store: opened, notified } = await takeOver(`${folder.path}/queuectl.db`);
  await using store = opened;
  assert.deepEqual(await store.list({ limit: 10 }), []);
  assert.match(notified.join(), /0 jobs/);
});

Deno.test("python: a damaged row is told and left out, and is in the backup; all others are taken over", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queuectl.db`;
  const times = "'2026-11-24T02:11:54Z', '2026-11-24T02:11:54Z', NULL";
  makePythonDatabase(file, [
    `('sound', 'true', 'pending', 0, 3, ${times}, NULL, NULL)`,
    `('large', 'true', 'pending', 9007199254740993, 3, ${times}, NULL, NULL)`,
    `('words', 'true', 'pending', 'many', 3, ${times}, NULL, NULL)`,
    `('odd', 'true', 'sleeping', 0, 3, ${times}, NULL, NULL)`,
    `('bytes', x'00ff', 'pending', 0, 3, ${times}, NULL, NULL)`,
  ]);
  const { store: opened, notified } = await takeOver(file);
  await using store = opened;
  assert.deepEqual(ids(await store.list({ limit: 10 })), ["sound"]);
  assert.equal(notified.length, 5, notified.join("\n"));
  assert.match(notified.join("\n"), /"attempts" of job "large"/);
  assert.match(notified.join("\n"), /"command" of job "bytes"/);
  assert.match(notified[4], /1 jobs/);
  assert.equal(queryFile(`${file}.python-backup`, "SELECT id FROM jobs").length, 5);
  assert.deepEqual(await store.check(), []);
});

Deno.test("python: the backup has the same content, and is for its owner alone", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queuectl.db`;
  makePythonDatabase(file);
  const content = (path: string) =>
    ["SELECT sql FROM sqlite_schema ORDER BY name", "SELECT * FROM jobs ORDER BY id", "SELECT * FROM config"]
      .map((sql) => queryFile(path, sql));
  const before = content(file);
  assert.equal(before[1].length, pythonRows.length);
  const [{ notified }] = Deno.build.os === "windows"
    ? await storeProcesses(1, file, { task: "claim" })
    : await storeProcesses(1, file, { task: "claim", umask: "000" });
  assert.equal(notified.length, 1);
  assert.deepEqual(content(`${file}.python-backup`), before);
  assert.deepEqual(queryFile(`${file}.python-backup`, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
  assertSound(file);
  if (Deno.build.os !== "windows") {
    assert.equal((await Deno.stat(`${file}.python-backup`)).mode! & 0o777, 0o600);
  }
});

Deno.test("python: what only has the name of a copy is left where it is", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queuectl.db`;
  makePythonDatabase(file);
  await Deno.mkdir(`${file}.python-copy-a/full`, { recursive: true });
  const { store, notified } = await takeOver(file);
  await store[Symbol.asyncDispose]();
  assert.equal(notified.length, 1);
  assert.ok(Deno.statSync(`${file}.python-copy-a/full`).isDirectory);
});

Deno.test("python: a backup never replaces a file that is there", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queuectl.db`;
  makePythonDatabase(file);
  await Deno.writeTextFile(`${file}.python-backup`, "precious");
  const { store, notified } = await takeOver(file);
  await store[Symbol.asyncDispose]();
  assert.equal(await Deno.readTextFile(`${file}.python-backup`), "precious");
  const [copy] = [...Deno.readDirSync(folder.path)].map(({ name }) => name)
    .filter((name) => !["queuectl.db", "queuectl.db.python-backup"].includes(name));
  assert.ok(notified[0].endsWith(copy), `${notified[0]} names ${copy}`);
  assert.equal(queryFile(`${folder.path}/${copy}`, "SELECT id FROM jobs").length, pythonRows.length);
});

Deno.test("python: processes that open the database at once take it over once", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/queuectl.db`;
  makePythonDatabase(file);
  const reports = await storeProcesses(5, file, { task: "claim" });
  const notified = reports.flatMap((report) => report.notified);
  assert.equal(notified.length, 1, notified.join("\n"));
  assert.match(notified[0], /8 jobs/);
  const claimed = reports.flatMap((report) => report.claimed).filter((id) => id !== "failing-1");
  assert.deepEqual(claimed.sort(), ["pending-1", "pending-2", "retried-1", "running-1"]);
  // Where several close it at once none is the last, and SQLite leaves its own two files for the next to come.
  const files = [...Deno.readDirSync(folder.path)].map(({ name }) => name).filter((name) =>
    !/-(wal|shm)$/.test(name)
  );
  assert.deepEqual(files.sort(), ["queuectl.db", "queuectl.db.python-backup"]);
  assertSound(file);
});

Deno.test("python: a time is read in every form that the program wrote", () => {
  const expected = Date.UTC(2026, 10, 24, 2, 11, 54);
  assert.equal(parsePythonTime("2026-11-24T02:11:54.638152Z"), expected + 638);
  assert.equal(parsePythonTime("2026-11-24T02:11:54.638152+00:00"), expected + 638);
  assert.equal(parsePythonTime("2026-11-24T04:11:54+02:00"), expected);
  assert.equal(parsePythonTime("2026-11-24 02:11:54"), expected);
  for (const text of ["", "yesterday", "2026-13-45T02:11:54Z", null, 5]) {
    assert.equal(parsePythonTime(text), null);
  }
});

Deno.test("python: a time without a zone is UTC, wherever the computer is", async () => {
  const module = import.meta.resolve("../../../src/store/sqlite/python_import.ts");
  // The time zone belongs to the whole test run, so a process in another one is asked.
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["eval", "--no-lock"],
      `import { parsePythonTime } from "${module}"; console.log(parsePythonTime("2026-11-24 02:11:54"))`,
    ],
    env: { TZ: "America/New_York" },
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), String(Date.UTC(2026, 10, 24, 2, 11, 54)));
});
