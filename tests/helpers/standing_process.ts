/**
 * A process that runs command lines of queuectl one after another, as they come: a start of the program for each takes
 * most of the time that they take. It reads a line of JSON for each, and marks the end of what that has printed.
 * tests/helpers/standing_program.ts starts it.
 */

import { runCommandLine } from "../../src/cli/app.ts";

/** A command line, where it runs, the variables it gets, and what is printed behind all that it prints. */
export interface CommandLine {
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  mark: string;
}

async function serve(): Promise<void> {
  const own = { folder: Deno.cwd(), env: Deno.env.toObject() };
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) {
      const { args, cwd, env, mark } = JSON.parse(line) as CommandLine;
      Deno.chdir(cwd);
      for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
      const code = await runCommandLine(args);
      for (const name of Object.keys(env)) {
        if (name in own.env) Deno.env.set(name, own.env[name]);
        else Deno.env.delete(name);
      }
      // A folder that is somebody's cannot be removed on Windows.
      Deno.chdir(own.folder);
      writeAll(Deno.stdout, `${mark}${code}\n`);
      writeAll(Deno.stderr, `${mark}\n`);
    }
  }
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  for (let bytes = new TextEncoder().encode(text); bytes.length > 0;) {
    bytes = bytes.subarray(stream.writeSync(bytes));
  }
}

if (import.meta.main) await serve();
