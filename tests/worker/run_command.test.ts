/** Commands run and ended in this process, with real runners. */

import assert from "node:assert/strict";
import type { CommandEnd } from "../../src/worker/run/run_command.ts";
import { giveUp, readStatus } from "../../src/worker/spool/spool.ts";
import { commandTest } from "../helpers/command_test.ts";
import { canSeeEnvironments, isRunning, kill, processesWith } from "../helpers/host_processes.ts";
import { leftOut } from "../helpers/left_out.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { canRun } from "../helpers/wrapped_program.ts";

const exited = (status: number): CommandEnd => ({ kind: "exited", status });

commandTest("the exit status is known, whichever way a command ends", async ({ start }) => {
  const cases: Array<[string, number]> = [
    ["true", 0],
    ["", 0],
    ["# only a comment", 0],
    ["exit 3", 3],
    ["false", 1],
    ["kill -TERM $$", 143],
    ["sh -c 'kill -KILL $PPID'; :", 137],
    ["exec sh -c 'exit 4'", 4],
    ["trap 'exit 9' EXIT; exit 5", 9],
    ["no-such-program-anywhere", 127],
    ["set -e; false; exit 0", 1],
    ["exit 256", 0],
  ];
  // All at once, and so on runners of their own; then again, on runners that have run something.
  for (const round of [1, 2]) {
    const runs = cases.map(([command], index) => start(`${round}-${index}`, command));
    const ends = await Promise.all(runs.map((run) => run.ended));
    assert.deepEqual(ends.map((end, index) => [cases[index][0], end]), cases.map(([c, n]) => [c, exited(n)]));
    for (const [index, run] of runs.entries()) {
      assert.equal(readStatus(run.files)?.exitStatus, cases[index][1], cases[index][0]);
    }
  }
});

commandTest(
  "a command sees its environment as given, and nothing of ours that could disturb it",
  async ({ start }) => {
    const value = `two\nlines, 'single' "double" \`back\` $HOME \\ \\n *~#!{}; é 🙂 `;
    const shown = start("a", `printf '%s|' "$VALUE" "$EMPTY" $# "$0"`, { env: { VALUE: value, EMPTY: "" } });
    assert.deepEqual(await shown.ended, exited(0));
    assert.ok(shown.output().startsWith(`${value}||0|`), shown.output());
    // The variables of a command, its folder and its functions are not those of the next one.
    const first = start(
      "b",
      "cd /; f() { echo function; }; OWN=1; umask 0; set -f; exec 3>&1; alias ls=false",
    );
    await first.ended;
    const next = start(
      "c",
      `pwd; f; echo "[$VALUE$OWN]"; umask; set -o | grep -c 'noclobber.*on'; { true >&3; }; cat`,
    );
    assert.deepEqual(await next.ended, exited(0));
    const [folder, variables, mask, noclobber] = next.output().split("\n");
    assert.ok(next.files.startsWith(folder), folder);
    assert.deepEqual([variables, noclobber], ["[]", "0"]);
    assert.notEqual(mask, "0000");
    assert.match(next.output("err"), /f: not found[^]*3/);
  },
);

commandTest("a folder that is not there any more is the command's failure", async ({ start, path }) => {
  const run = start("a", "echo ran", { cwd: `${path}/it's "gone"` });
  assert.deepEqual(await run.ended, exited(126));
  assert.equal(run.output(), "");
  assert.match(run.output("err"), /it's "gone"/);
});

commandTest(
  "end() ends everything a command has started, and no neighbour",
  async ({ start, path, touch, read }) => {
    const neighbour = start("neighbour", `echo ran >>ran; sleep 99 & ${untilFile("go")}; kill $!; echo done`);
    const trees = {
      background: "sleep 99 & sleep 99",
      session: "setsid sleep 99 & setsid setsid sleep 99 & sleep 99",
      orphans: "(sleep 99 & setsid sh -c 'sleep 99 & sleep 99' &); sleep 99",
      stopped: "sleep 99 & kill -STOP $!; sh -c 'kill -STOP $$; sleep 99'",
      deaf: "trap '' TERM HUP INT; (while :; do sleep 1; done) & while :; do sleep 1; done",
      pipeline: "sleep 99 | (sleep 99; sleep 99) | sleep 99",
      replaced: "exec sleep 99",
      subshell: "$(sleep 99)",
    };
    const names = Object.keys(trees) as Array<keyof typeof trees>;
    const runs = names.map((name) => start(name, `echo up; ${trees[name]}`));
    for (const run of runs) await waitFor(`output of ${run.files}`, () => run.output() === "up\n");
    await Promise.all(runs.map((run) => run.end(300)));
    for (const name of names) {
      if (canSeeEnvironments) assert.deepEqual(await processesWith(`${path}/${name}`), [], name);
    }
    for (const run of runs) {
      const end = await run.ended;
      assert.ok(end.kind === "exited" && end.status !== 0, `${run.files}: ${JSON.stringify(end)}`);
    }
    touch("go");
    assert.deepEqual(await neighbour.ended, exited(0));
    assert.deepEqual([read("ran"), neighbour.output()], ["ran\n", "done\n"]);
  },
);

commandTest(
  "end() ends what is left when the command's own shell has ended already",
  async ({ start, read }) => {
    // A fork of the shell, that carries nothing of the command's and whose parent is gone.
    const orphan = "(trap '' TERM; sh -c 'echo $PPID' >pid; while :; do sleep 1; done)";
    const run = start("a", `(${orphan} &); sleep 99`);
    const pid = Number(await waitFor("the orphan", () => read("pid") !== "" && read("pid")));
    try {
      const end = run.end(60_000);
      assert.deepEqual(await run.ended, exited(143));
      assert.ok(await isRunning(pid));
      run.end(0);
      await waitFor("the end of the orphan", async () => !await isRunning(pid));
      await end;
    } finally {
      await kill(pid);
    }
  },
);

commandTest(
  "end() ends what has no mark and ignores TERM, when the command's own shell is gone",
  async ({ start, path, read }) => {
    const deaf = (name: string) => `trap '' TERM; echo $$ >${path}/${name}; while :; do /bin/sleep 0.1; done`;
    const perl = (then: string) => `perl -e '$0 = "x" x 8000; $SIG{TERM} = "IGNORE"; ${then}'`;
    const print = (name: string) => `open(F, ">${path}/${name}"); print F "$$\\n"; close(F);`;
    const trees: Record<string, string> = {
      "no-environment": `env -i /bin/sh -c '${deaf("no-environment").replaceAll("'", `'\\''`)}'; echo done`,
      "own-session": `env -i setsid -w /bin/sh -c '${
        deaf("own-session").replaceAll("'", `'\\''`)
      }'; echo done`,
      // It overwrites its environment, as daemons do that set their title; its children carry the mark.
      "title": perl(`${print("title")} while (1) { system("exec sleep 0.1") }`) + "; echo done",
      "daemon": perl(
        `use POSIX; exit if fork; POSIX::setsid(); exit if fork; ${print("daemon")} ` +
          'while (1) { system("exec sleep 99") }',
      ) + "; sleep 99",
    };
    for (const [name, command] of Object.entries(trees)) {
      const run = start(name, command);
      const pid = Number(
        await waitFor(`the process of ${name}`, () => read(name).endsWith("\n") && read(name)),
      );
      try {
        assert.deepEqual(await run.end(200), [], name);
        assert.ok(!await isRunning(pid), name);
        assert.equal((await run.ended).kind, "exited");
      } finally {
        await kill(pid);
      }
    }
  },
  {
    ignore: leftOut(
      !canRun("perl", "-e", "1") || !canRun("setsid", "true"),
      "Only where perl and setsid are",
    ),
  },
);

commandTest(
  "what cannot be ended is waited for, and then told; its command has ended with it",
  async ({ start, path, read }) => {
    // As if it were another user's, as those are that `sudo` makes.
    const run = start("a", `echo $$ >${path}/pid; while :; do /bin/sleep 0.1; done`, { patience: 500 });
    const pid = Number(await waitFor("the command", () => read("pid").endsWith("\n") && read("pid")));
    const { kill: send } = Deno;
    Deno.kill = (target, signal) => {
      if (target === pid) throw new Deno.errors.PermissionDenied("another user's");
      send(target, signal);
    };
    try {
      const alive = await run.end(0);
      assert.ok(alive.includes(pid), `${alive}`);
      assert.equal((await run.ended).kind, "lost");
    } finally {
      Deno.kill = send;
      await kill(pid);
    }
  },
);

commandTest("end() of a command that ends by itself on TERM lets it finish", async ({ start }) => {
  const run = start(
    "a",
    "trap 'sleep 0.2; echo cleaned up; exit 0' TERM; echo up; while :; do sleep 0.05; done",
  );
  await waitFor("output", () => run.output() === "up\n");
  await run.end(60_000);
  assert.deepEqual(await run.ended, exited(0));
  assert.equal(run.output(), "up\ncleaned up\n");
});

commandTest(
  "a command that starts while an earlier one is being ended is not ended with it",
  async (commands) => {
    const { start, touch } = commands;
    // Its own shell ends at once, and so its runner is idle; what it has started takes its time.
    const slow = "trap 'touch asked; until [ -e go ]; do sleep 0.05; done; exit 0' TERM";
    const first = start("first", `(${slow}; echo up; while :; do sleep 0.05; done) & sleep 99`);
    await waitFor("output", () => first.output() === "up\n");
    const end = first.end(60_000);
    await first.ended;
    const second = start("second", `echo ran; ${untilFile("go-2")}; echo done`);
    await waitFor("output of the second", () => second.output() === "ran\n");
    touch("go");
    await end;
    touch("go-2");
    assert.deepEqual([await second.ended, second.output()], [exited(0), "ran\ndone\n"]);
  },
);

commandTest(
  "what a command leaves in the background is left alone, also by the end of a later one",
  async ({ start, touch, path }) => {
    const leave = (number: number) => `${untilFile("go")}; touch ended.${number}`;
    // The first of the three is a fork of the runner's own shell.
    const first = start(
      "left",
      `(${leave(1)}) & setsid sh -c '${leave(2)}' & nohup sh -c '${leave(3)}' >/dev/null 2>&1 &`,
    );
    assert.deepEqual(await first.ended, exited(0));
    const second = start("second", "echo up; (sleep 99) & sleep 99");
    await waitFor("output", () => second.output() === "up\n");
    await second.end(60_000);
    await second.ended;
    touch("go");
    const ended = () => [...Deno.readDirSync(path)].filter(({ name }) => name.startsWith("ended.")).length;
    await waitFor("the end of all that was left", () => ended() === 3, ended);
  },
  // For want of setsid elsewhere.
  { ignore: Deno.build.os !== "linux" },
);

commandTest(
  "a run that was given up before it started is refused, and its runner works on",
  async ({ start, path, read }) => {
    assert.ok(giveUp(`${path}/a`));
    assert.deepEqual(await start("a", "echo ran >>ran").ended, { kind: "refused" });
    assert.equal(read("ran"), "");
    assert.deepEqual(await start("b", "exit 3").ended, exited(3));
    assert.ok(!giveUp(`${path}/b`), "a run that has started can be given up");
  },
);

commandTest("where nothing can be written nothing is started", async ({ start, path, read, touch }) => {
  touch("none");
  const end = await start("none/a", `echo ran >>${path}/ran`).ended;
  assert.equal(end.kind, "not_started");
  assert.equal(read("ran"), "");
});

commandTest(
  "a command that kills its shell and itself is lost, and what is left of it is ended",
  async ({ start, path }) => {
    const run = start("a", "echo up; sleep 99 & setsid sleep 99 & kill -9 $PPID; kill -9 $$");
    assert.equal((await run.ended).kind, "lost");
    assert.equal(run.output(), "up\n");
    assert.deepEqual(await processesWith(`${path}/a`), []);
    assert.deepEqual(await start("b", "exit 3").ended, exited(3));
  },
);
