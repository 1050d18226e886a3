/** Why a script cannot be started that is there: shells say of the script that it was not found, where its interpreter is not. */

import { absolutePosixPath } from "../../base/absolute_path.ts";
import { statIfThere } from "../../base/files.ts";
import type { Claim } from "../../job/job.ts";

/** The exit statuses of shells for what they cannot start. */
const notStarted = [126, 127];
/** How many words of an error are looked at as names of scripts, from its end, and how many characters of a script. */
const [lastWords, longestLine] = [10, 256];

/** Names the interpreter that is missing, where the last line of the error names a script; null where that is not the reason. */
export function interpreterProblem(
  { cwd, env }: Pick<Claim, "cwd" | "env">,
  exitStatus: number,
  errorOutput: string,
): string | null {
  if (!notStarted.includes(exitStatus) || Deno.build.os === "windows") return null;
  const words = errorOutput.slice(-1000).trimEnd().split("\n").at(-1)!.match(/[^\s:'"‘’]+/g) ?? [];
  for (const word of words.slice(-lastWords).reverse()) {
    const folders = word.includes("/") ? [cwd ?? "."] : (env?.PATH ?? ownPath()).split(":");
    for (const folder of folders) {
      const script = folder.startsWith("/") ? absolutePosixPath(word, folder) : word;
      const interpreter = missingInterpreter(script);
      if (interpreter === null) continue;
      return `The interpreter of ${script} does not exist: ${JSON.stringify(interpreter)}` +
        (interpreter.endsWith("\r") ? "; its lines end with CRLF, and have to end with LF" : "");
    }
  }
  return null;
}

/** Where the shell looks for programs; empty where that is not UTF-8, of which Deno tells nothing. */
function ownPath(): string {
  try {
    return Deno.env.get("PATH") ?? "";
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    return "";
  }
}

/** What the first line of a script names that is not there; null where it is there, and of what is no script. */
function missingInterpreter(path: string): string | null {
  try {
    if (!Deno.statSync(path).isFile) return null;
    using file = Deno.openSync(path);
    const start = new Uint8Array(longestLine);
    const length = file.readSync(start) ?? 0;
    const [, interpreter] =
      /^#![ \t]*(\/[^ \t\n]*)/.exec(new TextDecoder().decode(start.subarray(0, length))) ??
        [];
    return interpreter !== undefined && statIfThere(interpreter) === undefined ? interpreter : null;
  } catch {
    // Of what cannot be looked at nothing is known.
    return null;
  }
}
