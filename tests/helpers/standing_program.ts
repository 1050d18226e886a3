/** Runs command lines in one process that stands by, in the place of a start of the program for each. */

import { permissions } from "../../src/worker/host/program.ts";
import type { CommandLine } from "./standing_process.ts";

/** What a program said, and its exit status. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** A process for command lines. It ends with this one, at the latest. */
export interface StandingProgram {
  /** Whether it is at work on a command line: it has one at a time. */
  readonly isBusy: boolean;
  run(line: Omit<CommandLine, "mark">): Promise<Said>;
}

/** Starts the process, with this environment and what its command lines add to that. */
export function startStandingProgram(env: Record<string, string>): StandingProgram {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      ...permissions,
      import.meta.resolve("./standing_process.ts"),
    ],
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  const [out, err] = [child.stdout.getReader(), child.stderr.getReader()];
  let isBusy = false;
  return {
    get isBusy() {
      return isBusy;
    },
    async run(line) {
      isBusy = true;
      try {
        const mark = `\0${crypto.randomUUID()} `;
        const request = JSON.stringify({ ...line, mark });
        const [[stdout, code], [stderr]] = await Promise.all([
          readUntil(out, mark),
          readUntil(err, mark),
          input.write(new TextEncoder().encode(`${request}\n`)),
        ]);
        return { code: Number(code), stdout, stderr };
      } finally {
        isBusy = false;
      }
    },
  };
}

/** Reads to the end of the line with the mark; gives what is before the mark, and what is behind it. */
async function readUntil(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  mark: string,
): Promise<[before: string, behind: string]> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the standing process has ended: ${text}`);
    text += decoder.decode(value, { stream: true });
    const at = text.lastIndexOf(mark);
    if (at >= 0 && text.endsWith("\n")) return [text.slice(0, at), text.slice(at + mark.length, -1)];
  }
}
