/** What a power cut leaves of a queue's files. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { openStore } from "../../src/store/open.ts";
import type { Load } from "./load.ts";
import type { Queue } from "./queue_test.ts";
import type { Random } from "./random.ts";

/** Both files at one moment, and what had been acknowledged before. */
export interface Copy {
  database: Uint8Array;
  wal: Uint8Array;
  acknowledged: Map<string, number>;
}

/** Copies both files by another program: opening them here would drop the locks of this process. */
export async function copyFiles(queue: Queue, load: Load): Promise<Copy> {
  const acknowledged = load.acknowledged();
  const folder = `${queue.path}/copy-${crypto.randomUUID()}`;
  await Deno.mkdir(folder);
  const names = ["queuectl.db", "queuectl.db-wal"];
  const { success } = await new Deno.Command("cp", {
    args: [...names.map((name) => `${queue.path}/${name}`), folder],
  })
    .output();
  assert.ok(success);
  const [database, wal] = await Promise.all(names.map((name) => Deno.readFile(`${folder}/${name}`)));
  return { database, wal, acknowledged };
}

/** What a computer would find after the cut; a sound database, or this fails. Gives the ids of its jobs. */
export async function jobsAfter(
  queue: Queue,
  database: Uint8Array,
  wal: Uint8Array,
  place: string,
): Promise<Set<string>> {
  const file = await placeFiles(queue, database, wal);
  try {
    await using store = await openStore(file, { missing: "empty", durable: false });
    assert.deepEqual(await store.check(), [], place);
    return new Set((await store.list({ limit: 1_000_000 })).map(({ id }) => id));
  } finally {
    await Deno.remove(dirname(file), { recursive: true });
  }
}

/** Puts the files into a new folder; gives the path of the database. */
export async function placeFiles(queue: Queue, database: Uint8Array, wal: Uint8Array): Promise<string> {
  const folder = `${queue.path}/after`;
  await Deno.mkdir(folder);
  await Deno.writeFile(`${folder}/queuectl.db`, database, { mode: 0o600 });
  await Deno.writeFile(`${folder}/queuectl.db-wal`, wal, { mode: 0o600 });
  return `${folder}/queuectl.db`;
}

/** The generation of a WAL: its salts, which change when it is begun anew. */
export const generation = ({ wal }: Copy) => wal.subarray(16, 24).join();

/** Some pages of the one and some of the other: a checkpoint that was not synced. */
export function mixedPages(earlier: Uint8Array, later: Uint8Array, random: Random): Uint8Array {
  const mixed = later.slice();
  const pageSize = 4096;
  for (let at = 0; at < earlier.length; at += pageSize) {
    if (random.below(2) === 0) mixed.set(earlier.subarray(at, at + pageSize), at);
  }
  // The file may not have grown yet.
  return random.below(2) === 0 ? mixed.subarray(0, earlier.length) : mixed;
}

/** The bytes of both, one after the other. */
export function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
