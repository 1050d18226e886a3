/** A runner: one long-lived `/bin/sh` that runs commands one after another. See shell_script.ts for what it is told. */

import { failpoint } from "../../base/failpoint.ts";
import { quote } from "../../job/shell_words.ts";
import type { Runner } from "./runner.ts";
import { answerIn, closingScript, runnerPrelude, runnerScript } from "./shell_script.ts";
import { originText, type RunOrigin, startedLine } from "../spool/spool.ts";

/** Starts a runner on a host with this boot. Throws when no process can be started. */
export async function startShellRunner(boot: string, origin?: RunOrigin): Promise<Runner> {
  const mark = crypto.randomUUID();
  const process = new Deno.Command("/bin/sh", {
    // The rest it inherits from the system: what is no UTF-8 could not be passed on here.
    env: { QUEUECTL_RUNNER: mark, ...origin && { QUEUECTL_ORIGIN: originText(origin) } },
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

  /** Tells the runner something with a word of its own, by which its answer is known. Null when the runner has ended. */
  async function ask(text: (word: string) => string, isCommand = true): Promise<string[] | null> {
    const word = crypto.randomUUID();
    try {
      await input.write(encoder.encode(text(word)));
      if (isCommand) failpoint("started");
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
    for (let line; (line = await readLine()) !== null;) {
      const answer = answerIn(line, word);
      if (answer) return answer;
    }
    return null;
  }

  await ask(closingScript, false);
  const [ready, start, forks, shell] = await ask((word) => runnerPrelude(Deno.build.os, word), false) ?? [];
  if (ready !== "ready") {
    await process.status;
    throw new Error("the shell /bin/sh ended at once");
  }
  const unusual = Object.entries(Deno.env.toObject()).filter(([name]) =>
    !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
  );
  const isBash = shell === "bash";
  const traits = {
    forks: forks === "yes",
    hasFunctions: isBash && unusual.some(([name]) => name.startsWith("BASH_FUNC_")),
    lostVariables: isBash ? [] : unusual.map(([name, value]) => quote(`${name}=${value}`)),
  };

  return {
    reusable: true,
    pid: process.pid,
    async run(spec, key, started) {
      const run = { pid: process.pid, start, boot, claim: `${key}.${mark}`, runner: mark, origin };
      started(run);
      const env = { ...spec.env, QUEUECTL_CLAIM: run.claim };
      const answer = await ask((word) => runnerScript({ ...spec, env }, startedLine(run), traits, word));
      if (answer === null) {
        await process.status;
        return null;
      }
      const [kind, status, output] = answer;
      if (kind === "refused") return kind;
      return { status: Number(status), output: output as "printed" | "silent" | "unopened" };
    },
    close() {
      // A runner that has been killed is closed already.
      input.close().catch((error) => {
        if (!(error instanceof Deno.errors.BrokenPipe) && !(error instanceof TypeError)) throw error;
      });
    },
  };
}

/** More characters than an answer has. */
const longestLine = 1024;

/**
 * Reads lines one by one, into one small buffer: otherwise each read would get a new one of 64 KiB. Of a line that is too long
 * to be an answer only the end is kept. Null at the end.
 */
function lineReader(reader: ReadableStreamBYOBReader): () => Promise<string | null> {
  const decoder = new TextDecoder();
  let buffer = new Uint8Array(256);
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read(buffer);
      if (done) return null;
      text = text.slice(-longestLine) + decoder.decode(value, { stream: true });
      buffer = new Uint8Array(value.buffer);
    }
    const end = text.indexOf("\n");
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    return line;
  };
}
