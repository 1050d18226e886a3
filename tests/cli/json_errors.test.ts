/** With --json an error leaves standard output empty: the text is on standard error, the exit status tells its kind. */

import assert from "node:assert/strict";
import { sqliteAlone } from "../helpers/drivers.ts";
import { type ProgramSubject, programTest } from "../helpers/program_test.ts";

/** Every command with --json but doctor, whose findings are what it prints. */
const commands = [
  "enqueue true",
  "enqueue -",
  "run true",
  "worker stop",
  "worker list",
  "list",
  "list --with-cursor",
  "list --limit 5000",
  "show nothing",
  "logs nothing",
  "logs -f nothing",
  "logs -f --all",
  "follow nothing",
  "wait nothing",
  "wait --all",
  "wait --queue nothing",
  "status",
  "cancel nothing",
  "signal nothing TERM",
  "retry nothing",
  "rm nothing",
  "clean",
  "hold nothing",
  "release nothing",
  "edit nothing --set priority=1",
  "move nothing --queue other",
  "pause",
  "pause nothing",
  "resume nothing",
  "queue list",
  "queue set other --concurrency 1",
  "queue rm nothing",
  "dlq list",
  "dlq show nothing",
  "dlq retry nothing",
  "dlq purge nothing",
  "config list",
  "config get timeout",
  "config set timeout 1m",
  "config unset timeout",
  "migrate --from queuectl.db --to other.db",
  "migrate --from queuectl.db --abandon",
];

/** A command fails with that status, a line on standard error and nothing on standard output. */
async function assertFails({ run }: ProgramSubject, command: string, status: number): Promise<void> {
  const stdin = command === "enqueue -" ? "true\n" : undefined;
  const { code, stdout, stderr } = await run([...command.split(" "), "--json"], stdin);
  assert.deepEqual([code, stdout], [status, ""], `${command}: ${stderr}`);
  assert.match(stderr, /^[^\n]+\n$/, command);
}

programTest("with --json an unusable database is told on standard error alone", async (test) => {
  await Deno.writeTextFile(`${test.path}/queuectl.db`, "# notes\n".repeat(1000));
  for (const command of commands) await assertFails(test, command, 5);
}, { on: sqliteAlone });

programTest("with --json what is not there is told on standard error alone", async (test) => {
  await test.run(["enqueue", '{"id": "a", "command": "true"}']);
  const named = commands.filter((command) => command.includes("nothing"));
  for (const command of [...named, "list --queue nothing", "worker stop --host nothing"]) {
    await assertFails(test, command, 3);
  }
});

programTest("with --json a mistake is told on standard error alone", async (test) => {
  await test.run(["enqueue", '{"id": "a", "command": "true"}']);
  const mistakes: Array<[string, number]> = [
    ["worker start", 2],
    ["doctor --no-such-flag", 2],
    ["config get tiemout", 2],
    ["enqueue --id a true", 4],
    ["run --id a true", 4],
    ["dlq show a", 4],
    ["dlq retry a", 4],
    ["retry a", 4],
    ["queue rm default", 4],
    ["migrate --abandon", 2],
    ["list --state faild", 2],
    ["queue set --global --rate 1/m", 2],
    ["logs --all", 2],
  ];
  for (const [command, status] of mistakes) await assertFails(test, command, status);
});
