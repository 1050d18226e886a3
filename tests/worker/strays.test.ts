/** Which commands are strays, and which only look like one for a moment. */

import assert from "node:assert/strict";
import type { Store } from "../../src/store/store.ts";
import { takeSnapshot } from "../../src/worker/host/processes.ts";
import { removeFiles } from "../../src/worker/spool/spool.ts";
import { endStrays } from "../../src/worker/lease/strays.ts";
import { commandTest } from "../helpers/command_test.ts";
import { waitFor } from "../helpers/wait_for.ts";

const waiting = (name: string) => `echo begun >${name}; until [ -e ${name}.go ]; do sleep 0.05; done`;

/** As much of a store as is asked. */
function storeOf(spool: string, isRunning: () => Promise<boolean>): Store {
  return { shared: true, spool, isRunning, processes: () => Promise.resolve([]) } as unknown as Store;
}

commandTest(
  "a run that ends while it is looked at is no stray, nor is what its runner runs next",
  async (commands) => {
    const { boot } = await takeSnapshot();
    const first = commands.start("1.1", waiting("a"));
    await waitFor("the first command", () => commands.read("a") !== "");
    let second: ReturnType<typeof commands.start> | undefined;
    // As its worker does it: what has ended is recorded, its files are removed, and its runner gets the next command.
    const isRunning = async () => {
      commands.touch("a.go");
      await first.ended;
      removeFiles(first.files);
      second = commands.start("2.1", waiting("b"));
      await waitFor("the second command", () => commands.read("b") !== "");
      return false;
    };
    await endStrays(storeOf(commands.path, isRunning), boot);
    commands.touch("b.go");
    assert.deepEqual(await second!.ended, { kind: "exited", status: 0 });
  },
);

commandTest("a command whose job is nobody's any more is ended", async (commands) => {
  const { boot } = await takeSnapshot();
  const stray = commands.start("1.1", waiting("a"));
  await waitFor("the command", () => commands.read("a") !== "");
  await endStrays(storeOf(commands.path, () => Promise.resolve(false)), boot);
  assert.deepEqual(await stray.ended, { kind: "exited", status: 143 });
});

commandTest("a command of a registered worker of this host is left to that", async (commands) => {
  const snapshot = await takeSnapshot();
  const own = commands.start("1.1", waiting("a"));
  await waitFor("the command", () => commands.read("a") !== "");
  const { start } = snapshot.processes.get(Deno.pid)!;
  const store = {
    ...storeOf(commands.path, () => Promise.resolve(false)),
    processes: () =>
      Promise.resolve([{ identity: { host: "h", boot: snapshot.boot, pid: Deno.pid, start } }]),
  } as unknown as Store;
  await endStrays(store, snapshot.boot);
  commands.touch("a.go");
  assert.deepEqual(await own.ended, { kind: "exited", status: 0 });
});

commandTest(
  "a command of a copied server is left to its own worker, and ended where that is gone",
  async (commands) => {
    const { boot } = await takeSnapshot();
    const store = { ...storeOf(commands.path, () => Promise.resolve(false)), identities: ["now"] };
    const start = async (name: string, worker: number) => {
      const command = commands.start(name, waiting(name));
      await waitFor("the command", () => commands.read(name) !== "");
      const status = commands.read(`${name}.status`).trimEnd();
      Deno.writeTextFileSync(`${commands.path}/${name}.status`, `${status} ${worker} before\n`);
      return command;
    };
    const own = await start("1.1", Deno.pid);
    const stray = await start("2.1", 1);
    await endStrays(store, boot);
    commands.touch("1.1.go");
    assert.deepEqual([await own.ended, await stray.ended], [
      { kind: "exited", status: 0 },
      { kind: "exited", status: 143 },
    ]);
  },
);
