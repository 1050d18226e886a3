/** The reference has every name that commands print. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { queueTest } from "../helpers/queue_test.ts";

const reference = await Deno.readTextFile(fileURLToPath(import.meta.resolve("../../.github/REFERENCE.md")));
const section = /\n## JSON\n(.*?)\n## /s.exec(reference)![1];
const documented = new Set([...section.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name));

/** The names of all fields in a value; those of `env` are not ours. */
function namesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(namesIn);
  return Object.entries(value).flatMap(([name, field]) => [name, ...name === "env" ? [] : namesIn(field)]);
}

queueTest("every name that --json prints is in the reference", async (queue) => {
  await queue.enqueue(
    { id: "done", command: "true", priority: 1 },
    { id: "dead", command: "exit 3", maxRetries: 0, priority: 1 },
    { id: "runs", command: "sleep 600" },
    { id: "waits", command: "true", priority: -1, env: { A: "1" } },
    // For rm: it must not run when that comes.
    { id: "more", command: "true", priority: -1, held: true },
  );
  const manager = queue.start();
  await manager.line(/picked job runs/);
  const commands = [
    "list",
    "list --columns id,due,queue",
    "dlq list",
    "show done",
    "show runs",
    "show waits",
    "dlq show dead",
    "status --workers",
    "worker list",
    "config list",
    "config get grace",
    "edit waits --set priority=0",
    "dlq retry dead",
    "cancel dead runs",
    "retry done",
    "pause",
    "pause --commands",
    "resume --commands",
    "queue set mail --rate 1/m",
    "queue list",
    "rm more",
    "clean",
    "dlq purge --all",
    "enqueue --id last date",
    "list --with-cursor --limit 1",
    "wait last",
    "logs last",
    "follow last",
    "config set grace 5s",
    "config unset grace",
    "queue set empty --concurrency 1",
    "queue rm empty",
    "doctor",
    "resume",
    "run date",
    "worker stop",
  ];
  for (const command of commands) {
    const { code, stdout, stderr } = await queue.run(...command.split(" "), "--json");
    const said = stderr.replace(/^(Attempt \d+|Job \S+|No job) .*\n/gm, "");
    assert.deepEqual([code, said], [0, ""], command);
    // One object on a line, or an array with an element a line; what jobs print is an object a line.
    const isOneValue = stdout === "[]\n" || /^\[\n|^\{"next_cursor".*\[\n/.test(stdout);
    const values = isOneValue ? [stdout] : stdout.trimEnd().split("\n");
    assert.ok(values.length === 1 || /^(follow|run) /.test(command), command);
    const names = values.flatMap((value) => namesIn(JSON.parse(value)));
    assert.deepEqual(names.filter((name) => !documented.has(name)), [], command);
  }
});
