import assert from "node:assert/strict";
import { commandHint } from "../../src/cli/parser/command_hint.ts";

Deno.test("a command without quotes is told by a word that is no flag's value, before the flag that is not known", () => {
  const cases: Array<[line: string, verb: string | undefined]> = [
    ["enqueue ls -l", "enqueue"],
    ["add ls -l", "enqueue"],
    ["run git --color", "run"],
    ["run --queue media --hold --priority=3 ls -l", "run"],
    ["enqueue --queue media -x", undefined],
    ["enqueue -x ls", undefined],
    ["enqueue --wiat ls", undefined],
    ["enqueue -x", undefined],
    ["list ls -l", undefined],
  ];
  for (const [line, verb] of cases) {
    const hint = commandHint(line.split(" "));
    assert.equal(hint?.endsWith(`queuectl ${verb} -- COMMAND ARGUMENTS`), verb && true, line);
  }
});

Deno.test("windows: JSON whose quotes were lost is known also where a word of it looks like a flag", () => {
  // What PowerShell before 7.3 makes of '{"command": "ping -n 3 localhost"}'.
  const line = ["enqueue", "--hold", "{command: ping", "-n", "3", "localhost}"];
  assert.match(commandHint(line, "windows")!, /^The quotes of the JSON were lost on the way\. Type /);
  assert.match(commandHint(line, "linux")!, /COMMAND ARGUMENTS$/);
});
