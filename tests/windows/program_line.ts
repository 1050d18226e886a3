/** The text of a command that runs program.ts with these arguments. */

import { fileURLToPath } from "node:url";
import { quoteArgument } from "../../src/job/windows_words.ts";

export function programLine(...args: string[]): string {
  const program = fileURLToPath(import.meta.resolve("./program.ts"));
  return [Deno.execPath(), "run", "--allow-all", "--no-check", program, ...args].map(quoteArgument).join(" ");
}
