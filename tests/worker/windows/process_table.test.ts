/** What Windows says about its processes, read on whatever system the tests run. */

import assert from "node:assert/strict";
import type { ProcessEntry } from "../../../src/worker/host/platform.ts";
import {
  parseProcessTable,
  processesBelow,
  systemStart,
} from "../../../src/worker/host/windows_processes.ts";

/** Entries of SYSTEM_PROCESS_INFORMATION with one thread each, as Windows writes them. */
function processTable(...entries: Array<{ pid: number; parent: number; threads: number; created: bigint }>) {
  const size = 256 + 80;
  const bytes = new Uint8Array(size * entries.length);
  entries.forEach(({ pid, parent, threads, created }, index) => {
    const view = new DataView(bytes.buffer, index * size);
    view.setUint32(0, index === entries.length - 1 ? 0 : size, true);
    view.setUint32(4, threads, true);
    view.setBigInt64(32, created, true);
    view.setBigUint64(80, BigInt(pid), true);
    view.setBigUint64(88, BigInt(parent), true);
  });
  return bytes;
}

Deno.test("windows: the process table is read, with times that are exact", () => {
  const processes = parseProcessTable(processTable(
    { pid: 4, parent: 0, threads: 200, created: 134082000001234567n },
    { pid: 812, parent: 4, threads: 0, created: 134082000001234568n },
  ));
  assert.deepEqual([...processes.values()], [
    {
      pid: 4,
      parent: 0,
      group: 0,
      start: "134082000001234567",
      startOrder: Number("134082000001234567"),
      zombie: false,
    },
    {
      pid: 812,
      parent: 4,
      group: 0,
      start: "134082000001234568",
      startOrder: Number("134082000001234568"),
      zombie: true,
    },
  ]);
});

function table(
  ...rows: Array<[pid: number, parent: number, start: number]>
): Map<number, ProcessEntry> {
  return new Map(
    rows.map(([pid, parent, start]) => [
      pid,
      { pid, parent, group: 0, start: String(start), startOrder: start, zombie: false },
    ]),
  );
}

Deno.test("windows: a tree is what is below a process, in any order of the table", () => {
  const processes = table([30, 20, 300], [10, 1, 100], [20, 10, 200], [40, 1, 400]);
  assert.deepEqual(processesBelow(processes, { pid: 10, start: "100" }).sort(), [10, 20, 30]);
});

Deno.test("windows: what is below a process that has ended is found too", () => {
  assert.deepEqual(processesBelow(table([20, 10, 200], [30, 20, 300]), { pid: 10, start: "100" }), [20, 30]);
});

Deno.test("windows: a child that is older than who has its parent's number is another's", () => {
  assert.deepEqual(processesBelow(table([10, 1, 500], [20, 10, 200]), { pid: 10, start: "500" }), [10]);
});

Deno.test("windows: who got the number of the process later does not belong to it, nor what is below", () => {
  const processes = table([10, 1, 500], [20, 10, 600], [30, 10, 200]);
  assert.deepEqual(processesBelow(processes, { pid: 10, start: "100" }), [30]);
});

Deno.test("windows: a boot is told by the first process of the system that has a time", () => {
  assert.equal(systemStart(table([4, 0, 100], [90, 4, 101], [500, 400, 50])), "100");
  assert.equal(systemStart(table([4, 0, 0], [300, 4, 103], [90, 4, 101], [500, 400, 50])), "101");
  assert.equal(systemStart(table([56, 40, 100])), undefined);
});
