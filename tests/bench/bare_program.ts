/** Programs without a queue that queuectl is measured against, on the runtime that it has itself. */

import { beside, runQuietly } from "./queue.ts";

/** A program and the arguments that start it; `args` of its own come behind them. */
export interface BareProgram {
  command: string;
  args: readonly string[];
}

/**
 * A file beside this one, `NAME.ts`, as a program: run from source, or compiled into `folder` with what compiles
 * queuectl, where an executable of that is what is measured.
 */
export async function bareProgram(
  name: string,
  folder: string,
  permissions: readonly string[] = [],
): Promise<BareProgram> {
  const source = beside(`${name}.ts`);
  const flags = ["--quiet", "--no-prompt", ...permissions];
  if (!Deno.env.get("QUEUECTL_TEST_PROGRAM")) {
    return { command: Deno.execPath(), args: ["run", ...flags, source] };
  }
  const command = `${folder}/${name}`;
  const compiler = Deno.env.get("DENO_COMPILE") || Deno.execPath();
  await runQuietly(compiler, ["compile", ...flags, "--output", command, source]);
  return { command, args: [] };
}
