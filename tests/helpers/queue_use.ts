/** What people do with a queue, one thing after the other, for tests of what is around it. */

import assert from "node:assert/strict";
import { runCommandLines } from "./command_lines.ts";
import { runProgram } from "./program.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** Before a worker has run, and after it. */
const before = [
  ["enqueue", '{"id": "plain", "command": "true"}'],
  [
    "enqueue",
    '{"id": "fails", "command": "false", "max_retries": 1, "tags": ["a", "b"], "queue": "limited"}',
  ],
  ["enqueue", '{"id": "child", "command": "true", "after": ["fails"], "unique": "key"}'],
  ["queue", "set", "limited", "--concurrency", "2", "--rate", "100/1m"],
  ["config", "set", "timeout", "5m"],
  ["hold", "plain"],
  ["release", "plain"],
  ["edit", "plain", "--set", "priority=5", "--set", "command=true"],
  ["list", "--state", "waiting", "--sort", "priority"],
];
const after = [
  ["enqueue", '{"id": "later", "command": "true", "delay": "1h", "priority": 5}'],
  ["list"],
  ["list", "--sort=-updated", "--since", "1h", "--search", "tru"],
  ["list", "--tag", "a", "--sort", "id"],
  ["status"],
  ["queue", "list"],
  ["show", "fails"],
  ["logs", "plain"],
  ["dlq", "list"],
  ["retry", "fails"],
  ["move", "fails", "--queue", "other"],
  ["cancel", "fails"],
  ["retry", "fails"],
  ["worker", "list"],
  ["doctor"],
  ["clean"],
  ["migrate", "--to", "moved.db"],
  ["migrate", "--from", "moved.db", "--to", ""],
  ["rm", "fails", "later"],
  ["worker", "stop"],
];

/** Does all of it on a database; every command has to end well. */
export async function useQueue(url: string): Promise<void> {
  await using folder = await temporaryFolder();
  const run = async (lines: string[][]) => {
    const given = lines.map((line) => [
      ...line.map((word) => word === "" ? url : word),
      ...line.includes("--from") ? [] : ["--db", url],
    ]);
    for (const [index, { code, stdout, stderr }] of (await runCommandLines(given, folder.path)).entries()) {
      assert.equal(code, 0, `${lines[index].join(" ")}\n${stdout}${stderr}`);
    }
  };
  await run(before);
  const worker = await runProgram(["worker", "start", "--drain", "--count", "2"], {
    cwd: folder.path,
    env: { QUEUECTL_DB: url },
  });
  assert.match(worker.stdout, /plain/, worker.stderr);
  await run(after);
}
