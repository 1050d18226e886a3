/**
 * The program: a worker process when the first argument is `--worker`, what asks commands to end on Windows when it is
 * `--interrupt`, else the command line. Nothing else exits.
 */

import { lazy } from "./base/lazy.ts";

async function main(args: string[]): Promise<number> {
  // Loaded only where used, so that neither of the two pays for the other.
  if (args[0] === "--worker") {
    return await (await import(lazy("./worker/worker_main.ts")) as typeof import("./worker/worker_main.ts"))
      .workerMain(args);
  }
  if (args[0] === "--interrupt") {
    const { interruptCommands } = await import("./worker/host/windows/interrupt.ts");
    return interruptCommands(args.slice(1));
  }
  return await (await import("./cli/app.ts")).runCommandLine(args);
}

Deno.exit(await main(Deno.args));
