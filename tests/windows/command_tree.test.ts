/** Commands and their trees on Windows, by the real runner in this process. */

import assert from "node:assert/strict";
import { isInUse, statIfThere } from "../../src/base/files.ts";
import { takeSnapshot } from "../../src/worker/host/processes.ts";
import { adoptCommand, type RunningCommand, startCommand } from "../../src/worker/run/run_command.ts";
import { openRunnerPool } from "../../src/worker/run/runner_pool.ts";
import {
  createStatus,
  readStatus,
  removeFiles,
  spooledRuns,
  startedLine,
  sweep,
} from "../../src/worker/spool/spool.ts";
import { cutOutput, readOutput } from "../../src/worker/spool/spool_output.ts";
import { treeEnder } from "../../src/worker/run/tree_ender.ts";
import { endCommand } from "../../src/worker/run/windows_command_tree.ts";
import { closeHandle, createJob, jobName, letLive } from "../../src/worker/host/windows/job_object.ts";
import { kernel32, libraryPath, systemFolder } from "../../src/worker/host/windows/libraries.ts";
import { endProcess, startSuspended } from "../../src/worker/host/windows/start_process.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { programLine } from "./program_line.ts";

/** What a test gets: a folder in which its commands run, and how to start them. */
interface Commands {
  path: string;
  start(name: string, command: string): RunningCommand & { files: string };
  /** The pid of `stay NAME`; waits for it. */
  pidOf(name: string): Promise<number>;
  touch(name: string): void;
}

function windowsTest(name: string, body: (commands: Commands) => Promise<void>): void {
  Deno.test({
    name: `on Windows, ${name}`,
    ignore: Deno.build.os !== "windows",
    async fn() {
      await using folder = await temporaryFolder();
      const { path } = folder;
      const pool = openRunnerPool((await takeSnapshot()).boot);
      const begun: string[] = [];
      try {
        await body({
          path,
          start(name, command) {
            const files = `${path}\\${name}`;
            begun.push(files);
            return {
              files,
              ...startCommand({ command, files, cwd: path, env: {} }, `${begun.length}.1`, pool),
            };
          },
          pidOf: (name) =>
            waitFor(`the pid of ${name}`, () => {
              const file = `${path}\\${name}.pid`;
              return statIfThere(file) && Number(Deno.readTextFileSync(file));
            }),
          touch: (name) => Deno.writeTextFileSync(`${path}\\${name}`, ""),
        });
      } finally {
        for (const files of begun) {
          const started = readStatus(files)?.started;
          if (started) endCommand(started);
        }
        pool.close();
        await waitFor("the end of all commands", async () => !await isAnyAlive(path));
      }
    },
  });
}

/** Whether any `stay` of a folder is alive. */
async function isAnyAlive(path: string): Promise<boolean> {
  const { processes } = await takeSnapshot();
  return [...Deno.readDirSync(path)].filter(({ name }) => name.endsWith(".pid"))
    .some(({ name }) => processes.has(Number(Deno.readTextFileSync(`${path}\\${name}`))));
}

const isAlive = async (pid: number) => (await takeSnapshot()).processes.has(pid);

windowsTest("the exit status is that of the command, of 32 bits", async ({ start }) => {
  for (const [command, status] of [["exit 0", 0], ["exit 300", 300], ["exit -1", -1]] as const) {
    assert.deepEqual(await start(`status${status}`, command).ended, {
      kind: "exited",
      status,
      silent: true,
    });
  }
});

windowsTest("what it prints is in its files, byte for byte", async ({ start }) => {
  const { files, ended } = start("prints", "echo out& echo err>&2");
  assert.deepEqual(await ended, { kind: "exited", status: 0, silent: false });
  assert.deepEqual([readOutput(files, "out", 1000), readOutput(files, "err", 1000)], ["out\r\n", "err\r\n"]);
});

windowsTest("a command has a console of its own, with its code page", async ({ start }) => {
  const { files, ended } = start("console", "chcp");
  assert.deepEqual(await ended, { kind: "exited", status: 0, silent: false });
  assert.match(readOutput(files, "out", 1000), /[1-9]\d{2,4}/);
});

windowsTest("its output is cut while it grows", async ({ start, touch, pidOf }) => {
  const { files, ended } = start("grows", programLine("stay", "grows"));
  await pidOf("grows");
  Deno.writeFileSync(`${files}.out`, new Uint8Array(17 * 1024 ** 2).fill(97), { append: true });
  assert.equal(cutOutput(files, 1024), true);
  touch("grows.go");
  await ended;
  assert.match(readOutput(files, "out", 1024), /^grows runs\r?\naaa[^]*aaagrows ends\r?\n$/);
});

windowsTest("a tree ends as a whole, also what has left its parent", async ({ start, pidOf }) => {
  const command = start("tree", `${programLine("leave", "left")}& ${programLine("stay", "child")}`);
  const pids = [await pidOf("left"), await pidOf("child")];
  await command.end(0);
  assert.deepEqual(await Promise.all(pids.map(isAlive)), [false, false]);
  assert.equal((await command.ended).kind, "lost");
});

windowsTest("a command that has no handler ends when it is asked to", async ({ start, path }) => {
  const command = start("asked", "echo begun>begun& for /l %i in (1,0,2) do @rem");
  await waitFor("its begin", () => statIfThere(`${path}\\begun`));
  // Only the event can end it in time: the test would wait in vain for the end of the grace.
  await command.end(10_000_000);
  assert.equal((await command.ended).kind, "lost");
});

windowsTest("many commands are asked to end at once", async ({ start, path }) => {
  const names = ["one", "two", "three"];
  const commands = names.map((name) => start(name, `echo begun>${name}.begun& for /l %i in (1,0,2) do @rem`));
  for (const name of names) {
    await waitFor(`the begin of ${name}`, () => statIfThere(`${path}\\${name}.begun`));
  }
  await Promise.all(commands.map((command) => command.end(10_000_000)));
  for (const { ended } of commands) assert.equal((await ended).kind, "lost");
});

windowsTest("a command that is to end before it has begun ends", async ({ start, path }) => {
  const command = start("early", "for /l %i in (1,0,2) do @if exist go exit");
  await command.end(0);
  assert.equal((await command.ended).kind, "lost");
  assert.equal(statIfThere(`${path}\\go`), undefined);
});

windowsTest("the end of a command leaves what it has left in the background", async ({ start, pidOf }) => {
  const { ended } = start("leaves", programLine("leave", "background"));
  assert.equal((await ended).kind, "exited");
  assert.equal(await isAlive(await pidOf("background")), true);
});

windowsTest("an adopted command is watched, and ended with its tree", async ({ start, pidOf }) => {
  const { files } = start("adopted", `${programLine("leave", "far")}& ${programLine("stay", "near")}`);
  const pids = [await pidOf("far"), await pidOf("near")];
  const adopted = adoptCommand(files, readStatus(files)!.started!);
  await adopted.end(0);
  assert.deepEqual(await Promise.all(pids.map(isAlive)), [false, false]);
  assert.equal((await adopted.ended).kind, "lost");
});

windowsTest(
  "a command whose first process is killed is lost, and the rest of it ends",
  async ({ start, pidOf }) => {
    const { files, ended } = start("orphans", programLine("stay", "orphan"));
    const pid = await pidOf("orphan");
    endProcess(readStatus(files)!.started!.pid);
    assert.equal((await ended).kind, "lost");
    assert.equal(await isAlive(pid), false);
  },
);

/** Takes from everybody the right to open a process anew, as with one of another user: by a list of rights without entries. */
function protect(pid: number): void {
  const ntdll = Deno.dlopen(libraryPath("ntdll.dll"), {
    NtSetSecurityObject: { parameters: ["usize", "u32", "buffer"], result: "u32" },
  });
  // SECURITY_DESCRIPTOR_RELATIVE: revision 1, SE_DACL_PRESENT and SE_SELF_RELATIVE, the list at byte 20; and an ACL.
  const descriptor = new Uint8Array([
    1,
    0,
    4,
    0x80,
    ...Array(12).fill(0),
    20,
    0,
    0,
    0,
    2,
    0,
    8,
    0,
    0,
    0,
    0,
    0,
  ]);
  const writeRights = 0x40000;
  const process = kernel32().OpenProcess(writeRights, 0, pid);
  assert.equal(ntdll.symbols.NtSetSecurityObject(process, 4, descriptor), 0);
  closeHandle(process);
  ntdll.close();
}

windowsTest("a command that is given up does not run", async ({ start, path }) => {
  Deno.writeTextFileSync(`${path}\\refused.status`, "given up\n");
  assert.equal((await start("refused", "echo ran>ran").ended).kind, "refused");
  assert.equal(statIfThere(`${path}\\ran`), undefined);
});

windowsTest("commands leave no handles, also those that are given up", async ({ start, path }) => {
  const library = Deno.dlopen(libraryPath("kernel32.dll"), {
    GetProcessHandleCount: { parameters: ["usize", "buffer"], result: "i32" },
  });
  function handles(): number {
    const count = new Uint32Array(1);
    library.symbols.GetProcessHandleCount(kernel32().GetCurrentProcess(), new Uint8Array(count.buffer));
    if (count[0] > 0) return count[0];
    // Wine does not count them. It gives the lowest numbers that are free, in steps of 4: these are more than there are gaps.
    const more = Array.from({ length: 64 }, () => createJob(`Local\\${crypto.randomUUID()}`));
    more.forEach(closeHandle);
    return Math.max(...more.map(Number)) / 4;
  }
  async function runAll(round: number): Promise<void> {
    for (let index = 0; index < 8; index++) {
      const name = `${round}.${index}`;
      Deno.writeTextFileSync(`${path}\\${name}.refused.status`, "given up\n");
      assert.equal((await start(`${name}.refused`, "exit 0").ended).kind, "refused");
      assert.equal((await start(name, "exit 0").ended).kind, "exited");
    }
  }
  await runAll(0);
  const counts = [handles()];
  // What is kept grows with every round; threads that Deno starts meanwhile, with handles of their own, come once.
  for (const round of [1, 2, 3]) {
    await runAll(round);
    counts.push(handles());
  }
  library.close();
  const growth = counts.slice(1).map((count, index) => count - counts[index]);
  assert.ok(Math.min(...growth) < 10, `handles: ${counts.join(", ")}`);
});

/** Makes `echo ran>ran` ready to run in a folder, as a worker does before it lets a command run. */
function suspended(path: string, claim: string) {
  const program = `${systemFolder()}\\cmd.exe`;
  const line = `"${program}" /d /s /c "echo ran>ran& >>s.status echo exit 0"`;
  return startSuspended(
    { program, line, environment: Deno.env.toObject(), cwd: path },
    { out: `${path}\\s.out`, err: `${path}\\s.err` },
    jobName(claim),
  );
}

windowsTest("what may not be ended is not waited for", async ({ path }) => {
  const process = suspended(path, crypto.randomUUID());
  protect(process.pid);
  assert.equal(endProcess(process.pid), false);
  const { boot } = await takeSnapshot();
  // With another name for its job, as where that cannot be opened.
  const started = { pid: process.pid, start: process.start, boot, claim: "none", runner: "none" };
  await treeEnder(Promise.resolve(started), () => true).end(0);
  assert.equal(await isAlive(process.pid), true);
  process.release();
  closeHandle(process.job);
  await waitFor("its end", async () => !await isAlive(process.pid));
});

windowsTest("a command that its worker has not let run ends with the worker", async ({ path }) => {
  const claim = crypto.randomUUID();
  const process = suspended(path, claim);
  assert.equal(await isAlive(process.pid), true);
  // The end of the worker closes its handle.
  closeHandle(process.job);
  closeHandle(process.handle);
  await waitFor("its end", async () => !await isAlive(process.pid));
  assert.equal(statIfThere(`${path}\\ran`), undefined);
});

windowsTest(
  "a command whose worker ended when it was about to let it run is let run by who adopts it",
  async ({ path }) => {
    const claim = crypto.randomUUID();
    const { pid, start, job, handle } = suspended(path, claim);
    letLive(job);
    closeHandle(job);
    closeHandle(handle);
    const started = { pid, start, boot: (await takeSnapshot()).boot, claim, runner: claim };
    assert.equal(createStatus(`${path}\\s`, startedLine(started)), true);
    assert.deepEqual(await adoptCommand(`${path}\\s`, started).ended, { kind: "exited", status: 0 });
    assert.equal(Deno.readTextFileSync(`${path}\\ran`), "ran\r\n");
  },
);

windowsTest(
  "a run whose files a background process has open leaves them for later, and is no error",
  async ({ path }) => {
    const files = `${path}\\1.1`;
    for (const name of ["out", "err", "status"]) Deno.writeTextFileSync(`${files}.${name}`, "started\n");
    const program = `${systemFolder()}\\cmd.exe`;
    // cmd.exe lets nobody else write or remove what it has open.
    const holder = new Deno.Command(program, {
      args: [`/d /s /c "(for /l %i in (1,0,2) do @if exist go exit)>>1.1.out"`],
      windowsRawArguments: true,
      cwd: path,
      stdin: "null",
    }).spawn();
    await waitFor("the file to be held", () => {
      try {
        Deno.openSync(`${files}.out`, { append: true }).close();
        return false;
      } catch (error) {
        return isInUse(error);
      }
    });
    removeFiles(files);
    assert.equal(statIfThere(`${files}.err`), undefined);
    Deno.writeTextFileSync(`${path}\\go`, "");
    await holder.status;
    await sweep(path, () => Promise.resolve(false), Date.now() + 86_400_001);
    assert.deepEqual(spooledRuns(path), []);
  },
);
