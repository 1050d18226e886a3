import assert from "node:assert/strict";
import { writtenOut } from "../../src/cli/parser/short_forms.ts";

Deno.test("flags as people know them from tail and git are written out, for the commands that have them", () => {
  const cases: Array<[given: string, writtenOut: string]> = [
    ["logs -n3 a", "logs -n 3 a"],
    ["log -fn3 a", "log -f -n 3 a"],
    ["logs -fn 3 a", "logs -f -n 3 a"],
    ["follow a -20", "follow a -n 20"],
    ["logs -f -n 0 a", "logs -f -n 0 a"],
    ["logs -n -5 a", "logs -n -5 a"],
    ["logs --attempt -1 a", "logs --attempt -1 a"],
    ["logs -x3 a", "logs -x3 a"],
    ["logs -n3 -- -n3 -5", "logs -n 3 -- -n3 -5"],
    ["list -n3", "list -n3"],
    ["enqueue head -5", "enqueue head -5"],
    ["run -- logs -5", "run -- logs -5"],
    ["list --sort -priority --json", "list --sort=-priority --json"],
    ["dlq list --sort -id", "dlq list --sort=-id"],
    ["list --sort id", "list --sort id"],
    ["list --sort", "list --sort"],
    ["list --sort --json", "list --sort --json"],
    ["run sort --sort -id", "run sort --sort -id"],
  ];
  for (const [given, expected] of cases) assert.equal(writtenOut(given.split(" ")).join(" "), expected);
});
