import assert from "node:assert/strict";
import {
  appendStatus,
  createStatus,
  giveUp,
  makeSpool,
  noteEnding,
  readStatus,
  removeFiles,
  runFiles,
  spoolProblem,
  startedLine,
  sweep,
} from "../../src/worker/spool/spool.ts";
import { cutOutput, hasOutput, readOutput } from "../../src/worker/spool/spool_output.ts";
import { posixOnly } from "../helpers/left_out.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const started = {
  pid: 4711,
  start: "12345",
  boot: "b-o-o-t",
  claim: "7.3.mark",
  runner: "mark",
  origin: { worker: 4700, database: ["5:7", "%2Fqueue.db"] },
};

/** Registers a test that gets the files of a run in a spool of its own. */
function spoolTest(name: string, body: (files: string, folder: string) => void | Promise<void>): void {
  Deno.test(`spool: ${name}`, async () => {
    await using folder = await temporaryFolder();
    const spool = `${folder.path}/spool`;
    makeSpool(spool);
    await body(runFiles(spool, 7, 3), spool);
  });
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();

Deno.test("spool: what somebody left who was killed while looking whether it can be used is removed", async () => {
  await using folder = await temporaryFolder();
  makeSpool(folder.path);
  Deno.mkdirSync(`${folder.path}/.queuectl-left`);
  Deno.writeTextFileSync(`${folder.path}/1.1.out`, "kept");
  makeSpool(folder.path);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["1.1.out"]);
});

Deno.test("spool: it is made with folders above it only where these are for its user's programs", async () => {
  await using folder = await temporaryFolder();
  assert.throws(() => makeSpool(`${folder.path}/removed/queuectl.db.spool`), { code: "database" });
  assert.deepEqual(names(folder.path), []);
});

spoolTest("a status file that breaks off anywhere never gives a false exit status", (files) => {
  const text = `${startedLine(started)}\nexit 137\n`;
  for (let length = 0; length <= text.length; length++) {
    Deno.writeTextFileSync(`${files}.status`, text.slice(0, length));
    const status = readStatus(files);
    assert.equal(status?.exitStatus ?? null, length === text.length ? 137 : null, text.slice(0, length));
    if (length <= text.indexOf("\n")) assert.equal(status, undefined);
    else assert.deepEqual(status?.started, started);
  }
});

spoolTest("the first line of an older queuectl says nothing of its origin", (files) => {
  const { origin: _, ...run } = started;
  createStatus(files, "started 4711 12345 b-o-o-t 7.3.mark mark");
  assert.deepEqual(readStatus(files)?.started, run);
  assert.equal(startedLine(run), "started 4711 12345 b-o-o-t 7.3.mark mark");
});

spoolTest("statuses of every kind are read", (files) => {
  assert.equal(readStatus(files), undefined);
  assert.ok(createStatus(files, startedLine(started)));
  assert.deepEqual(readStatus(files), { started, exitStatus: null, ending: null });
  // cmd.exe ends its lines with CR LF.
  Deno.writeTextFileSync(`${files}.status`, "exit 3\r\n", { append: true });
  assert.equal(readStatus(files)?.exitStatus, 3);
  for (
    const [line, status] of [["-1", -1], ["3221225786", -1_073_741_510], ["-1073741819", -1_073_741_819]]
  ) {
    Deno.removeSync(`${files}.status`);
    createStatus(files, startedLine(started));
    appendStatus(files, `exit ${line}`);
    // What comes after the end is too late, whatever the status is.
    appendStatus(files, "ending timed_out");
    assert.deepEqual(readStatus(files), { started, exitStatus: status, ending: null });
  }
});

spoolTest("lines that a command has written, and nobody else, say nothing", (files) => {
  const false_ = [
    "exit",
    "exit x",
    "exit 12345678901",
    "exit 0 silent",
    " exit 0",
    "ending",
    "ending __proto__",
    "ending exit 0",
    "",
  ];
  createStatus(files, startedLine(started));
  for (const line of false_) appendStatus(files, line);
  assert.deepEqual(readStatus(files), { started, exitStatus: null, ending: null });
  appendStatus(files, "ending cancelled");
  appendStatus(files, "exit 4");
  assert.deepEqual(readStatus(files), { started, exitStatus: 4, ending: "cancelled" });
  const firstLines = [
    "",
    "started",
    "started 5",
    "started x 1 b c r",
    "started 5 1 b",
    "started -5 1 b c r",
    "\0\0",
  ];
  for (const line of firstLines) {
    Deno.writeTextFileSync(`${files}.status`, `${line}\n`);
    assert.deepEqual(readStatus(files), { started: null, exitStatus: null, ending: null }, line);
  }
});

spoolTest("why a command is ended is noted unless it has ended by itself", (files) => {
  assert.ok(noteEnding(files, "timed_out"));
  assert.equal(readStatus(files), undefined, "a file before the start would keep the command from starting");
  createStatus(files, startedLine(started));
  assert.ok(noteEnding(files, "handed_back"));
  appendStatus(files, "exit 143");
  assert.deepEqual(readStatus(files), { started, exitStatus: 143, ending: "handed_back" });
  assert.ok(!noteEnding(files, "timed_out"));
  assert.equal(readStatus(files)?.ending, "handed_back");

  Deno.removeSync(`${files}.status`);
  createStatus(files, startedLine(started));
  appendStatus(files, "exit 0");
  appendStatus(files, "ending timed_out");
  assert.deepEqual(readStatus(files), { started, exitStatus: 0, ending: null }, "too late");
});

spoolTest("only one of those who want to start a run and to give it up can", (files, folder) => {
  assert.ok(createStatus(files, startedLine(started)));
  assert.ok(!giveUp(files));
  assert.ok(!createStatus(files, startedLine(started)));
  assert.deepEqual(readStatus(files), { started, exitStatus: null, ending: null });

  const other = runFiles(folder, 8, 1);
  assert.ok(giveUp(other));
  assert.ok(!giveUp(other));
  assert.ok(!createStatus(other, startedLine(started)));
  assert.deepEqual(readStatus(other), { started: null, exitStatus: null, ending: null });
  assert.throws(() => createStatus(`${folder}/none/1.1`, ""), Deno.errors.NotFound);
});

spoolTest("output that is cut several times keeps its beginning and its end", (files, folder) => {
  const limit = 1024;
  assert.equal(readOutput(files, "out", limit), "");
  Deno.writeTextFileSync(`${files}.out`, "first\n");
  Deno.writeTextFileSync(`${files}.err`, "");
  cutOutput(files, limit);
  assert.equal(readOutput(files, "out", limit), "first\n");
  assert.deepEqual(names(folder), ["7.3.err", "7.3.out"]);

  let total = 6;
  const append = (text: string) => {
    Deno.writeTextFileSync(`${files}.out`, text, { append: true });
    total += text.length;
  };
  for (const round of [1, 2, 3]) {
    append("0123456789abcde\n".repeat(17 * 65_536));
    append(`end of ${round}\n`);
    // Where the space of the middle cannot be given back, the file is emptied.
    cutOutput(files, limit, undefined, round === 2 ? () => false : undefined);
    const { size, blocks } = Deno.statSync(`${files}.out`);
    assert.ok(size === 0 || blocks !== null && 512 * blocks < 65_536, `${size} bytes, ${blocks} blocks`);
    assert.ok(Deno.statSync(`${files}.out.kept`).size < 2 * limit);
    const output = readOutput(files, "out", limit);
    assert.ok(output.length <= limit);
    assert.match(output, /^first\n0123[^]*\n\[\.\.\. \d+ bytes left out \.\.\.\]\n/);
    assert.ok(output.endsWith(`0123456789abcde\nend of ${round}\n`));
    const [mark, omitted] = /\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/.exec(output)!;
    assert.equal(output.length - mark.length + Number(omitted), total);
  }
  append("a little more\n");
  cutOutput(files, limit);
  assert.ok(readOutput(files, "out", limit).endsWith("end of 3\na little more\n"));
  assert.equal(readOutput(files, "err", limit), "");
  removeFiles(files);
  assert.deepEqual(names(folder), []);
});

spoolTest("a crash between the copy and the cut loses nothing", (files) => {
  const text = "first\n" + "x".repeat(17 * 1024 ** 2) + "\nlast\n";
  Deno.writeTextFileSync(`${files}.out`, text);
  cutOutput(files, 1024);
  // As if the file had not been emptied.
  Deno.writeTextFileSync(`${files}.out`, text);
  const output = readOutput(files, "out", 1024);
  assert.ok(output.startsWith("first\nxxx") && output.endsWith("xxx\nlast\n") && output.length <= 1024);
});

spoolTest("removing the files of a run leaves those of others", (files, folder) => {
  for (const name of ["out", "out.kept", "out.kept.new", "err", "err.kept", "status"]) {
    Deno.writeTextFileSync(`${files}.${name}`, "");
  }
  assert.ok(hasOutput(files));
  Deno.writeTextFileSync(`${folder}/7.33.out`, "");
  removeFiles(files);
  removeFiles(files);
  assert.deepEqual(names(folder), ["7.33.out"]);
  assert.ok(!hasOutput(files));
});

spoolTest(
  "the sweep removes what nobody needs, but keeps what was given up not long ago",
  async (_, folder) => {
    for (const [seq, run] of [[1, 1], [2, 1], [2, 2]]) {
      createStatus(runFiles(folder, seq, run), startedLine(started));
      Deno.writeTextFileSync(`${runFiles(folder, seq, run)}.out`, "");
    }
    giveUp(runFiles(folder, 3, 1));
    Deno.writeTextFileSync(`${folder}/4.1.err.kept.new`, "");
    Deno.writeTextFileSync(`${folder}/something else`, "");
    const isNeeded = (seq: number, run: number) => Promise.resolve(seq === 2 && run === 2);
    await sweep(folder, isNeeded, Date.now());
    const others = ["2.2.out", "2.2.status", "something else"];
    const left = names(folder).filter((name) => !name.startsWith("4."));
    assert.deepEqual(left, [...others.slice(0, 2), "3.1.status", "something else"]);
    await sweep(folder, isNeeded, Date.now() + 2 * 86_400_000);
    assert.deepEqual(names(folder).filter((name) => !name.startsWith("4.")), others);
  },
);

Deno.test({
  name: "spool: the folder is its owner's alone, and one that cannot be made is explained",
  ignore: posixOnly("modes of files"),
  async fn() {
    await using folder = await temporaryFolder();
    makeSpool(`${folder.path}/spool`);
    makeSpool(`${folder.path}/spool`);
    assert.equal(Deno.statSync(`${folder.path}/spool`).mode! & 0o777, 0o700);
    Deno.writeTextFileSync(`${folder.path}/file`, "");
    assert.throws(() => makeSpool(`${folder.path}/file/spool`), { code: "database" });
    for (const path of [`${folder.path}/file/queuectl/spool`, `${folder.path}/file`]) {
      const problem = spoolProblem(path)?.message ?? "none";
      assert.ok(problem.startsWith(`The folder ${path} for running commands cannot be used: `), problem);
    }
    // A look leaves nothing.
    assert.equal(spoolProblem(`${folder.path}/not/there/spool`), undefined);
    assert.equal(spoolProblem(`${folder.path}/spool`), undefined);
    assert.deepEqual(names(folder.path).sort(), ["file", "spool"]);
    assert.deepEqual(names(`${folder.path}/spool`), []);
  },
});

Deno.test({
  name: "spool: one that this user cannot write is refused, before a job is claimed for nothing",
  ignore: posixOnly("modes of files"),
  async fn() {
    await using folder = await temporaryFolder();
    makeSpool(`${folder.path}/spool`);
    Deno.chmodSync(`${folder.path}/spool`, 0o500);
    // Root can write everywhere.
    if (Deno.uid() === 0) return void makeSpool(`${folder.path}/spool`);
    assert.throws(() => makeSpool(`${folder.path}/spool`), { code: "database" });
    assert.match(spoolProblem(`${folder.path}/spool`)!.message, /cannot be used: Permission denied/);
  },
});
