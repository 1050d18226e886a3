/** What is said where a command to be run is given without quotes, as to other queues: `enqueue ls -l`. Pure. */

import { separatorHint } from "../arguments/enqueue_form.ts";
import { fieldFlags } from "../routes/enqueue.ts";
import { lostQuotes } from "../arguments/windows_quotes.ts";

const verbs = new Map([["enqueue", "enqueue"], ["add", "enqueue"], ["run", "run"]]);
const withoutValue = ["--hold", "--wait", "--print-id", "--json"];
const withValue = ["--file", ...Object.keys(fieldFlags).map((name) => `--${name}`)]
  .filter((flag) => !withoutValue.includes(flag));

/** The hint to `--` for a command line whose first unknown flag comes behind a word of a command; undefined for all others. */
export function commandHint(
  [name, ...args]: readonly string[],
  os: string = Deno.build.os,
): string | undefined {
  const verb = verbs.get(name);
  if (verb === undefined) return undefined;
  for (let at = 0; at < args.length; at++) {
    const flag = args[at].split("=")[0];
    if (!flag.startsWith("-")) {
      return (os === "windows" ? lostQuotes(args.slice(at), verb) : undefined) ?? separatorHint(verb);
    }
    if (withValue.includes(flag)) at += args[at] === flag ? 1 : 0;
    else if (!withoutValue.includes(flag)) return undefined;
  }
  return undefined;
}
