import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** What a store process saw and did. */
export interface StoreReport {
  notified: string[];
  pending: number;
  claimed: string[];
  /** The modes, in octal, of the database file and of those beside it, by suffix. */
  modes: Record<string, string>;
}

/**
 * Opens a database in that many processes at once, which do `task` and end; `umask` is theirs. Fails when one of
 * them does.
 */
export async function storeProcesses(
  count: number,
  file: string,
  options: { task?: "claim" | "modes"; umask?: string } = {},
): Promise<StoreReport[]> {
  const children = Array.from({ length: count }, () => startProcess(file, options));
  const outputs = children.map((child) => child.stdout.pipeThrough(new TextDecoderStream()).getReader());
  const texts = await Promise.all(outputs.map(async (output) => (await output.read()).value ?? ""));
  // They have loaded their code by now, so that closing their input lets them all begin at one moment.
  await Promise.all(children.map((child) => child.stdin.close()));
  return await Promise.all(children.map(async (child, index) => {
    for (let part; (part = await outputs[index].read()).value !== undefined;) texts[index] += part.value;
    assert.equal((await child.status).code, 0, texts[index]);
    return JSON.parse(texts[index].replace("ready\n", ""));
  }));
}

function startProcess(
  file: string,
  { task = "modes", umask }: Parameters<typeof storeProcesses>[2] & object,
) {
  const script = fileURLToPath(import.meta.resolve("./store_process.ts"));
  const permissions = [
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-sys=uid",
    "--allow-net",
  ];
  const deno = [Deno.execPath(), "run", "--quiet", "--no-lock", ...permissions, script, file, task];
  const command = umask === undefined ? deno : ["/bin/sh", "-c", 'umask "$0"; exec "$@"', umask, ...deno];
  return new Deno.Command(command[0], {
    args: command.slice(1),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  })
    .spawn();
}
