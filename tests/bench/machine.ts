/** The machine and the program that were measured, in a few lines. */

import { arch, cpus, release, totalmem, type } from "node:os";
import config from "../../deno.json" with { type: "json" };

export function describeMachine(): string {
  const processors = cpus();
  const program = Deno.env.get("QUEUECTL_TEST_PROGRAM") ? "compiled" : "from source";
  return [
    `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    `queuectl ${config.version}, ${program}; Deno ${Deno.version.deno}`,
    `${type()} ${release()} ${arch()}; ${processors.length} × ${processors[0].model}; ` +
    `${Math.round(totalmem() / 1024 ** 3)} GiB`,
  ].join("\n");
}
