import assert from "node:assert/strict";
import { spoolFolder } from "../../../src/store/postgres/spool_folder.ts";
import { told } from "../suite/harness.ts";

const queue = { identity: "8c0fd5a2-3a0b-4c5e-9e43-0d9a7f3a9c11", database: "d", server: "5 7" };
const folder = (os: typeof Deno.build.os, environment: Record<string, string>) =>
  spoolFolder(queue, "queuectl", os, environment).replace(/\/[0-9a-f]{32}\.spool$/, "/NAME");

Deno.test("the spool of a queue on a server is with what the user's programs keep", () => {
  assert.equal(folder("linux", { HOME: "/home/me" }), "/home/me/.local/state/queuectl/NAME");
  assert.equal(folder("linux", { HOME: "/home/me", XDG_STATE_HOME: "/state" }), "/state/queuectl/NAME");
  assert.equal(
    folder("linux", { HOME: "/home/me", XDG_STATE_HOME: "state" }),
    "/home/me/.local/state/queuectl/NAME",
  );
  assert.equal(
    folder("darwin", { HOME: "/Users/me" }),
    "/Users/me/Library/Application Support/queuectl/NAME",
  );
  assert.equal(folder("windows", { LOCALAPPDATA: "C:\\Users\\me" }), "C:\\Users\\me/queuectl/NAME");
  assert.equal(folder("linux", { HOME: "/" }), "/.local/state/queuectl/NAME");
  assert.throws(() => folder("linux", {}), told("database", "HOME or XDG_STATE_HOME"));
  assert.throws(() => folder("linux", { HOME: "" }), told("database", "HOME or XDG_STATE_HOME"));
  assert.throws(() => folder("windows", { HOME: "/home/me" }), told("database", "LOCALAPPDATA"));
});

Deno.test("no two queues have one spool", () => {
  const environment = { HOME: "/home/me" };
  const folders = [
    spoolFolder(queue, "queuectl", "linux", environment),
    spoolFolder(queue, "other", "linux", environment),
    spoolFolder({ ...queue, database: "e" }, "queuectl", "linux", environment),
    spoolFolder({ ...queue, identity: crypto.randomUUID() }, "queuectl", "linux", environment),
    spoolFolder({ ...queue, server: "5 8" }, "queuectl", "linux", environment),
  ];
  assert.equal(new Set(folders).size, 5);
  assert.equal(spoolFolder(queue, "queuectl", "linux", environment), folders[0]);
});
