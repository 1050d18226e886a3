/** Where there can be no folder for running commands: what needs none works, `worker start` ends with the reason. */

import assert from "node:assert/strict";
import { drivers } from "../helpers/drivers.ts";
import { runProgram } from "../helpers/program.ts";
import { programTest } from "../helpers/program_test.ts";

programTest(
  "only workers need a folder for running commands, and say at once when they cannot have it",
  async (test) => {
    Deno.writeTextFileSync(`${test.path}/file`, "");
    const places: Array<[Record<string, string>, RegExp]> = [
      [
        { HOME: "", XDG_STATE_HOME: "" },
        /No folder for the output of running commands: set HOME or XDG_STATE_HOME/,
      ],
      [
        { XDG_STATE_HOME: `${test.path}/file` },
        /The folder \S+\/file\/queuectl\/\S+ for running commands cannot be used/,
      ],
    ];
    for (const [variables, reason] of places) {
      const run = (...args: string[]) =>
        runProgram(args, { cwd: test.path, env: { ...test.env, ...variables } });
      for (const args of [["enqueue", "true"], ["status"], ["list"]]) {
        const { code, stderr } = await run(...args);
        assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
      }
      const worker = await run("worker", "start", "--drain");
      assert.equal(worker.code, 5, worker.stdout);
      assert.match(worker.stderr, reason);
      assert.equal(worker.stderr.trimEnd().split("\n").length, 1, worker.stderr);
      const doctor = await run("doctor");
      assert.equal(doctor.code, 5, doctor.stdout);
      assert.match(doctor.stdout, new RegExp(`^error ${reason.source}`, "m"));
    }
  },
  { ignore: Deno.build.os !== "linux", on: drivers.filter(({ name }) => name === "postgres") },
);
