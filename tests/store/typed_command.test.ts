import assert from "node:assert/strict";
import { typedCommand } from "../../src/store/typed_command.ts";

Deno.test("a command line can be copied into the shells of the system", () => {
  const posix: Array<[string, string]> = [
    ["/srv/a-b/queuectl.db", "queuectl list --db /srv/a-b/queuectl.db"],
    ["/a b/it's", `queuectl list --db '/a b/it'\\''s'`],
    ["$HOME", "queuectl list --db '$HOME'"],
  ];
  for (const [path, line] of posix) assert.equal(typedCommand(["list", "--db", path], "linux"), line);
  const windows: Array<[string, string]> = [
    ["C:\\a\\queuectl.db", "queuectl list --db C:\\a\\queuectl.db"],
    ["C:\\a b\\(1) & 'x'\\q.db", `queuectl list --db "C:\\a b\\(1) & 'x'\\q.db"`],
    // PowerShell takes a bare comma, @ and ; for its own, and within double quotes $ and `.
    ["C:\\a,b\\@c;d", `queuectl list --db "C:\\a,b\\@c;d"`],
    ["C:\\$x\\`y", 'queuectl --% list --db "C:\\$x\\`y"'],
    ["C:\\a b\\", `queuectl list --db "C:\\a b\\\\"`],
    ["postgres://u@h/db?a=1&b=2", `queuectl list --db "postgres://u@h/db?a=1&b=2"`],
  ];
  for (const [path, line] of windows) assert.equal(typedCommand(["list", "--db", path], "windows"), line);
});
