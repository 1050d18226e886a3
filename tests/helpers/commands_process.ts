/**
 * A process that runs many command lines of queuectl one after another, because starting one for each takes long:
 * tests/helpers/command_lines.ts starts it, and reads what it prints.
 */

import { runCommandLine } from "../../src/cli/app.ts";

const end = (text: string) => new TextEncoder().encode(`${text}\0`);

for (const args of JSON.parse(await new Response(Deno.stdin.readable).text()) as string[][]) {
  const code = await runCommandLine(args);
  Deno.stdout.writeSync(end(`\0${code}`));
  Deno.stderr.writeSync(end(""));
}
