import { quote } from "../../src/job/shell_words.ts";
import { permissions } from "../../src/worker/host/program.ts";
import { type Manager, watchManager } from "./manager.ts";

/** Whether there is the `script` of util-linux, which runs a program in a pseudo-terminal. */
export const hasTerminal = Deno.build.os === "linux" && canRun("script", "--version");

function canRun(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** A terminal in which the program runs. */
export interface Terminal {
  /** Its pid is the terminal's; a manager's own is in its first line. */
  manager: Manager;
  /** Sends what a person types. */
  type(keys: string): Promise<void>;
  /** Lets the terminal's input end, without which the test would leave it open. */
  close(): Promise<void>;
}

/** Starts the program in a pseudo-terminal of its own, as its first process; one without a size where none is given. */
export function startInTerminal(
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
  size?: { columns: number; rows: number },
): Terminal {
  const { QUEUECTL_TEST_PROGRAM: executable } = Deno.env.toObject();
  const main = new URL("../../src/main.ts", import.meta.url).href;
  const program = executable
    ? [executable]
    : [Deno.execPath(), "run", "--no-prompt", "--quiet", ...permissions, main];
  const resize = size ? `stty cols ${size.columns} rows ${size.rows}; ` : "";
  const line = resize + ["exec", ...[...program, ...args].map(quote)].join(" ");
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", line, "/dev/null"],
    cwd,
    env: { ...env, SHELL: "/bin/sh" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  return {
    manager: watchManager(child),
    type: (keys) => input.write(new TextEncoder().encode(keys)),
    close: async () => {
      try {
        await input.close();
      } catch (error) {
        // The terminal was closed from the other side.
        if (!(error instanceof Deno.errors.BrokenPipe) && !(error instanceof TypeError)) throw error;
      }
    },
  };
}
