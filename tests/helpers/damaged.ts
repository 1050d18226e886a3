/** Databases that were damaged, and what every command has to do with one. */

import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import { addDead, claim, end, failure, ids, join, newJob, success } from "../store/suite/harness.ts";
import { runCommandLines } from "./command_lines.ts";
import type { ProgramResult } from "./program.ts";
import type { Random } from "./random.ts";

const pageSize = 4096;

/** A sound database of some twenty pages, with jobs in every state. */
export async function makeQueue(file: string, prefix = "job"): Promise<string[]> {
  await using store = await openStore(file, { missing: "create", durable: false });
  await addDead(store, ...[1, 2, 3].map((number) => `${prefix}-dead-${number}`));
  await store.enqueue(Array.from({ length: 150 }, (_, number) =>
    newJob(`${prefix}-${number}`, {
      command: "x".repeat(100),
      env: { NAME: "value" },
      cwd: "/tmp",
    })));
  const worker = await join(store);
  for (const run of await claim(store, worker, 60)) {
    await end(store, worker, run, run.seq % 3 === 0 ? failure : success);
  }
  await claim(store, worker, 3);
  await store.setSetting("timeout", "5m");
  return ids(await store.list({ limit: 1000 }));
}

/** Ways to damage the bytes of a database. */
export const damages: Record<string, (bytes: Uint8Array<ArrayBuffer>, random: Random) => Uint8Array> = {
  "flipped bytes": (bytes, random) => {
    for (let count = 1 + random.below(8); count > 0; count--) {
      bytes[random.below(bytes.length)] ^= 1 + random.below(255);
    }
    return bytes;
  },
  // There it hurts most: what kind of page it is, how many cells it has and where they are.
  "flipped bytes in the heads of pages": (bytes, random) => {
    for (let count = 1 + random.below(3); count > 0; count--) {
      bytes[random.below(bytes.length / pageSize) * pageSize + random.below(100)] ^= 1 + random.below(255);
    }
    return bytes;
  },
  "flipped bytes in the schema": (bytes, random) => {
    bytes[100 + random.below(pageSize - 100)] ^= 1 + random.below(255);
    return bytes;
  },
  "a page in another's place": (bytes, random) => {
    const [from, to] = [random.below(bytes.length / pageSize), random.below(bytes.length / pageSize)];
    bytes.copyWithin(to * pageSize, from * pageSize, (from + 1) * pageSize);
    return bytes;
  },
  "a file that breaks off": (bytes, random) => bytes.subarray(0, 1 + random.below(bytes.length - 1)),
};

const reading = [
  ["doctor"],
  ["list", "--limit", "1000"],
  ["list", "--json", "--limit", "1000"],
  ["list", "--state", "failed"],
  ["status"],
  ["dlq", "list"],
  ["worker", "list"],
  ["config", "list"],
  ["queue", "list"],
];
const writing = [
  ["enqueue", '{"id": "new", "command": "true"}'],
  ["dlq", "retry", "--all"],
  ["dlq", "purge", "--all"],
  ["config", "set", "timeout", "9m"],
  ["queue", "set", "build", "--concurrency", "1"],
  ["pause"],
  ["list", "--json", "--limit", "1000"],
];

/** A damaged file, and how it came about. */
export interface Damaged {
  file: string;
  bytes: Uint8Array;
  how: string;
}

/**
 * Every command explains in one line why it cannot use the file, or works on what is sound; `doctor` finds what makes
 * another one fail or miss a job; what is refused stays as it is.
 */
export async function assertHandled(folder: string, files: Damaged[], expected: string[]): Promise<void> {
  const commands = [...reading, ...writing];
  for (const { file, bytes } of files) await Deno.writeFile(file, bytes, { mode: 0o600 });
  const lines = files.flatMap(({ file }) => commands.map((command) => ["--db", file, ...command]));
  const results = await runCommandLines(lines, folder);
  const problems: string[] = [];
  for (const [index, { file, bytes, how }] of files.entries()) {
    const those = results.slice(index * commands.length, (index + 1) * commands.length);
    const report = (command: string[], problem: string) =>
      problems.push(`${how}: ${command.join(" ")}: ${problem}`);
    for (const [number, result] of those.entries()) {
      for (const problem of problemsOf(result)) report(commands[number], problem);
    }
    const [doctor, ...others] = those.slice(0, reading.length);
    const failed = others.findIndex(({ code }) => code !== 0);
    if (doctor.code === 0 && failed >= 0) report(reading[failed + 1], "fails, but doctor finds nothing");
    const missing = doctor.code === 0 && others[1].code === 0 ? missingJobs(others[1], expected) : [];
    if (missing.length > 0) report(["list"], `misses ${missing}, but doctor finds nothing`);
    const after = await Deno.readFile(file);
    if (after.length < bytes.length) report([], "the file was truncated");
    if (those.every(({ code }) => code !== 0) && !same(after, bytes)) {
      report([], "was refused, and changed all the same");
    }
    // What was acknowledged is there, as far as anything can be read.
    const [enqueue, list] = [those[reading.length], those.at(-1)!];
    if (enqueue.code === 0 && list.code === 0 && missingJobs(list, ["new"]).length > 0) {
      report(writing[0], "acknowledged, but not there");
    }
  }
  assert.ok(problems.length === 0, `${problems.length} problems\n${problems.slice(0, 20).join("\n")}`);
}

/** What is wrong with how a command ended, whatever it was given. */
function problemsOf({ code, stdout, stderr }: ProgramResult): string[] {
  const message = stderr.trimEnd();
  if (code === 0) return [];
  // 6: the number of the schema, damaged, looks like a newer one.
  if (code !== 5 && code !== 6) return [`exit status ${code}: ${message.slice(0, 300)}`];
  const said = message === "" ? stdout.trimEnd().split("\n") : message.split("\n");
  // Each damaged row that was left out has a line.
  const isOfRow = (line: string) =>
    /^The database is damaged: there is no valid value in|^More rows are/.test(line);
  if (message.includes("\n") && !said.every(isOfRow)) return [`more than one line: ${message.slice(0, 300)}`];
  return said.at(-1) === "" ? ["no word of explanation"] : [];
}

function missingJobs(list: ProgramResult, expected: string[]): string[] {
  const found = new Set(ids(JSON.parse(list.stdout)));
  return expected.filter((id) => !found.has(id));
}

function same(first: Uint8Array, second: Uint8Array): boolean {
  return first.length === second.length && first.every((byte, index) => byte === second[index]);
}
