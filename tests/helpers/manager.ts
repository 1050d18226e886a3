import { sendSignal } from "../../src/worker/host/processes.ts";
import { programCommand } from "./program.ts";
import { inTime, waitFor } from "./wait_for.ts";

/** A real `queuectl worker start`, or another program that prints its lines. */
export interface Manager {
  readonly pid: number;
  /** What it and its workers have printed so far. */
  readonly lines: readonly string[];
  /** Waits until a line matches, or as many lines as given, and returns the last of them. */
  line(pattern: RegExp, count?: number): Promise<RegExpExecArray>;
  /** The pid of the newest process of `Worker-N`; waits for it. */
  workerPid(count?: number): Promise<number>;
  signal(signal: Deno.Signal): void;
  /** Its exit status; resolves when it has ended, whatever its workers do. Fails where it does not end in time. */
  readonly status: Promise<Deno.CommandStatus>;
  /** Resolves when nobody can print any more: it and all its workers have ended. */
  readonly closed: Promise<void>;
}

/** Starts `worker start` with these arguments in a folder. */
export function startManager(args: readonly string[], cwd: string, env: Record<string, string>): Manager {
  return watchManager(
    programCommand(["worker", "start", ...args], {
      cwd,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    })
      .spawn(),
  );
}

/** Collects what a process, whose outputs are pipes, prints. */
export function watchManager(child: Deno.ChildProcess): Manager {
  const lines: string[] = [];
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split(/\r?\n/);
      rest = parts.pop()!;
      lines.push(...parts);
    }
    if (rest !== "") lines.push(rest);
  };
  const closed = Promise.all([collect(child.stdout), collect(child.stderr)]).then(() => {});

  async function line(pattern: RegExp, count = 1): Promise<RegExpExecArray> {
    const find = () => lines.map((text) => pattern.exec(text)).filter((match) => match !== null)[count - 1];
    return await waitFor(`line ${count} like ${pattern}`, find, () => lines.join("\n"));
  }

  return {
    pid: child.pid,
    lines,
    line,
    workerPid: async (count) => Number((await line(/^Manager: spawned worker pid=(\d+)$/, count))[1]),
    signal: (signal) => sendSignal(child.pid, signal),
    get status() {
      return inTime("the end of a manager", child.status, () => lines.join("\n"));
    },
    get closed() {
      return inTime("the end of all who can print for a manager", closed, () => lines.join("\n"));
    },
  };
}
