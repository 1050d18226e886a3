/** What has to hold of a queue after anything that was done to it, once all its jobs are done. */

import type { Place } from "./drivers.ts";
import { processesWith } from "./host_processes.ts";
import type { Manager } from "./manager.ts";
import { runProgram } from "./program.ts";
import { waitFor } from "./wait_for.ts";

/** Waits until a manager has ended; its exit status. */
export async function untilEnded(manager: Manager): Promise<number> {
  let code: number | undefined;
  manager.status.then((status) => code = status.code);
  return await waitFor(
    "the end of a manager",
    () => code !== undefined && { code },
    () => manager.lines.join("\n"),
  )
    .then((status) => status.code);
}

/** A queue that is there: the folder in which its commands run, its database, its spool, and how programs find it. */
export interface QueuePlace {
  path: string;
  place: Place;
  spool: string;
  env: Record<string, string>;
}

/** Everything of a queue that is wrong outside of its jobs: the database, what is left in the spool, processes. */
export async function problemsIn({ path, place, spool, env }: QueuePlace): Promise<string[]> {
  const problems: string[] = [];
  try {
    await place.assertSound();
  } catch (error) {
    problems.push(String(error));
  }
  const doctor = await runProgram(["doctor"], { cwd: path, env });
  if (doctor.code !== 0) problems.push(`doctor ended with status ${doctor.code}: ${doctor.stderr}`);
  for (const line of ["The data is sound", "Nothing waits, and no worker runs"]) {
    if (!doctor.stdout.includes(line)) problems.push(`doctor does not say "${line}": ${doctor.stdout}`);
  }
  problems.push(...leftIn(spool).map((name) => `left in the spool: ${name}`));
  await waitFor("the end of every process", async () => (await processesWith(path)).length === 0);
  return problems;
}

/** The files of a spool, but for the marks of runs that were given up: a runner that is late must find those. */
function leftIn(spool: string): string[] {
  return [...Deno.readDirSync(spool)].map(({ name }) => name).filter((name) =>
    !name.endsWith(".status") || Deno.readTextFileSync(`${spool}/${name}`) !== "given up\n"
  );
}
