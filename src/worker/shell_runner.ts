/** A runner: one long-lived `/bin/sh` that runs commands one after another. See shell_script.ts for what it is told. */

import { failpoint } from "../failpoint.ts";
import type { Runner } from "./runner_pool.ts";
import { runnerPrelude, runnerScript } from "./shell_script.ts";
import { startedLine } from "./spool.ts";

/** Starts a runner on a host with this boot. Throws when no process can be started. */
export async function startShellRunner(boot: string): Promise<Runner> {
  const mark = crypto.randomUUID();
  const process = new Deno.Command("/bin/sh", {
    // Where queuectl was started by a job, that job's marks must not be taken for those of ours.
    clearEnv: true,
    env: { ...withoutMarks(Deno.env.toObject()), QUEUECTL_RUNNER: mark },
    stdin: "piped",
    stdout: "piped",
    // What the shell itself has to say ("Terminated") is about our lines, not about the command.
    stderr: "null",
    // In a session of its own, so that a command that signals its whole group (`kill 0`) reaches no neighbour.
    detached: true,
  }).spawn();
  const input = process.stdin.getWriter();
  const lines = readLines(process.stdout);
  const encoder = new TextEncoder();

  /** Null when the runner has ended. */
  async function ask(text: string, isCommand = true): Promise<string | null> {
    try {
      await input.write(encoder.encode(text));
      if (isCommand) failpoint("started");
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    const { value, done } = await lines.next();
    return done ? null : value;
  }

  const [ready, start, forks] = (await ask(runnerPrelude(Deno.build.os), false))?.split(" ") ?? [];
  if (ready !== "ready") {
    await process.status;
    throw new Error("the shell /bin/sh ended at once");
  }

  return {
    reusable: true,
    async run(spec, key, started) {
      const run = { pid: process.pid, start, boot, claim: `${key}.${mark}`, runner: mark };
      started(run);
      const env = { ...spec.env, QUEUECTL_CLAIM: run.claim };
      const answer = await ask(runnerScript({ ...spec, env }, startedLine(run), forks === "yes"));
      if (answer === null) {
        await process.status;
        return null;
      }
      return answer === "refused" ? "refused" : Number(answer.slice("exit ".length));
    },
    close() {
      // A runner that has been killed is closed already.
      input.close().catch((error) => {
        if (!(error instanceof Deno.errors.BrokenPipe) && !(error instanceof TypeError)) throw error;
      });
    },
  };
}

function withoutMarks(env: Record<string, string>): Record<string, string> {
  const { QUEUECTL_CLAIM: _claim, QUEUECTL_JOB_ID: _job, QUEUECTL_ATTEMPT: _attempt, ...rest } = env;
  return rest;
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
