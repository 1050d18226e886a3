/** The permissions of managers and workers, asked for in processes of their own: nobody gets one back. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { permissions } from "../../src/worker/host/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const config = fileURLToPath(import.meta.resolve("../../deno.json"));

/** What a process with the permissions of the program has of these before and after it has run some code in a folder. */
async function permissionsAround(code: string, input: string): Promise<Record<"before" | "after", string[]>> {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/program.ts`;
  Deno.writeTextFileSync(
    file,
    `const state = () => ["net", "run"].map((name) => Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state);
    const before = state();
    ${code}
    await Deno.permissions.request({ name: "net" });
    console.log("\\n" + JSON.stringify({ before, after: state() }));
    Deno.exit(0);`,
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--no-check", "--config", config, ...permissions, file],
    cwd: folder.path,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await new Blob([input]).stream().pipeTo(child.stdin);
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!);
}

const source = (name: string) => JSON.stringify(import.meta.resolve(`../../src/worker/${name}.ts`));
const granted = { before: ["granted", "granted"], after: ["prompt", "granted"] };

Deno.test("the manager of a queue in a file gives up the network", async () => {
  const options = {
    url: "queuectl.db",
    count: 1,
    concurrency: 1,
    queues: null,
    drain: true,
    allowed: { allowShared: false, allowLinked: false },
  };
  const code = `const { startWorkers } = await import(${source("manager/supervisor")});
    await startWorkers(${JSON.stringify({ ...options, passDatabase: false })});`;
  assert.deepEqual(await permissionsAround(code, ""), granted);
});

Deno.test("so does a worker", async () => {
  const args = { number: 1, concurrency: 1, queues: null, drain: true, replacement: false };
  const assignment = {
    manager: 1,
    database: "queuectl.db",
    ignoreHangUp: false,
    passDatabase: false,
    folder: null,
  };
  // A worker makes no database.
  const code = `const { openStore } = await import(${source("../store/open")});
    await (await openStore("queuectl.db", { missing: "create", durable: false }))[Symbol.asyncDispose]();
    const { workerMain } = await import(${source("worker_main")});
    await workerMain(["--worker", ${JSON.stringify(JSON.stringify(args))}]);`;
  assert.deepEqual(await permissionsAround(code, `${JSON.stringify(assignment)}\n`), granted);
});
