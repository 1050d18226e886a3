/** A runner: one long-lived `/bin/sh` that runs commands one after another. See shell_script.ts for what it is told. */

import { failpoint } from "../failpoint.ts";
import type { Runner, RunnerAnswer } from "./runner_pool.ts";
import { runnerPrelude, runnerScript } from "./shell_script.ts";
import { startedLine } from "./spool.ts";

/** Starts a runner on a host with this boot. Throws when no process can be started. */
export async function startShellRunner(boot: string): Promise<Runner> {
  const mark = crypto.randomUUID();
  const inherited = Deno.env.toObject();
  const process = new Deno.Command("/bin/sh", {
    // Where queuectl was started by a job, that job's marks must not be taken for those of ours.
    clearEnv: true,
    env: { ...withoutMarks(inherited), QUEUECTL_RUNNER: mark },
    stdin: "piped",
    stdout: "piped",
    // What the shell itself has to say ("Terminated") is about our lines, not about the command.
    stderr: "null",
    // In a session of its own, so that a command that signals its whole group (`kill 0`) reaches no neighbour.
    detached: true,
  }).spawn();
  const input = process.stdin.getWriter();
  const readLine = lineReader(process.stdout.getReader({ mode: "byob" }));
  const encoder = new TextEncoder();

  /** Null when the runner has ended. */
  async function ask(text: string, isCommand = true): Promise<string | null> {
    try {
      await input.write(encoder.encode(text));
      if (isCommand) failpoint("started");
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    return await readLine();
  }

  const [ready, start, forks] = (await ask(runnerPrelude(Deno.build.os), false))?.split(" ") ?? [];
  if (ready !== "ready") {
    await process.status;
    throw new Error("the shell /bin/sh ended at once");
  }
  const traits = {
    forks: forks === "yes",
    hasFunctions: Object.keys(inherited).some((name) => name.startsWith("BASH_FUNC_")),
  };

  return {
    reusable: true,
    async run(spec, key, started) {
      const run = { pid: process.pid, start, boot, claim: `${key}.${mark}`, runner: mark };
      started(run);
      const env = { ...spec.env, QUEUECTL_CLAIM: run.claim };
      const answer = await ask(runnerScript({ ...spec, env }, startedLine(run), traits));
      if (answer === null) {
        await process.status;
        return null;
      }
      if (answer === "refused") return "refused";
      const [, status, output] = answer.split(" ");
      return { status: Number(status), output: output as RunnerAnswer["output"] };
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
  const {
    QUEUECTL_CLAIM: _claim,
    QUEUECTL_JOB_ID: _job,
    QUEUECTL_ATTEMPT: _attempt,
    QUEUECTL_QUEUE: _queue,
    ...rest
  } = env;
  return rest;
}

/** Reads lines one by one, into one small buffer: otherwise each read would get a new one of 64 KiB. Null at the end. */
function lineReader(reader: ReadableStreamBYOBReader): () => Promise<string | null> {
  const decoder = new TextDecoder();
  let buffer = new Uint8Array(256);
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read(buffer);
      if (done) return null;
      text += decoder.decode(value, { stream: true });
      buffer = new Uint8Array(value.buffer);
    }
    const end = text.indexOf("\n");
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    return line;
  };
}
