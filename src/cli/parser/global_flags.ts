/** What is read from the command line before it is known which command it is. */

import type { Allowances } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";

/** The command line without the flags that every command takes. */
export interface CommandLine {
  args: string[];
  /** The value of `--db`. */
  db: string | undefined;
  /** What `--allow-shared-db` and `--allow-linked-db` allow. */
  allowed: Allowances;
}

/**
 * Takes `--db PATH`, `--db=PATH`, `--allow-shared-db` and `--allow-linked-db` out of the arguments, wherever they are before a
 * `--`, and the `--%` with which PowerShell is told to leave quotes alone. `help COMMAND` becomes `COMMAND --help`. Throws `usage`.
 */
export function readGlobalFlags(given: readonly string[]): CommandLine {
  const separator = given.indexOf("--");
  const rest = separator < 0 ? [] : given.slice(separator);
  const before = separator < 0 ? [...given] : given.slice(0, separator);
  const args: string[] = [];
  let db: string | undefined;
  const allowed: Allowances = { allowShared: false, allowLinked: false };
  for (let arg = before.shift(); arg !== undefined; arg = before.shift()) {
    if (arg === "--%") continue;
    if (arg === "--allow-shared-db") allowed.allowShared = true;
    else if (arg === "--allow-linked-db") allowed.allowLinked = true;
    else if (arg === "--db" || arg.startsWith("--db=")) {
      if (db !== undefined) throw new QueuectlError("usage", "Flag --db is given twice");
      db = arg === "--db" ? valueAfter(before) : arg.slice("--db=".length);
      if (db === "") throw new QueuectlError("usage", "Flag --db needs a value: the path of the database");
    } else {
      checkFlag(arg);
      args.push(arg);
    }
  }
  const asked = args[0] === "help" ? [...args.slice(1), "--help"] : args;
  return { args: [...asked, ...rest], db, allowed };
}

// A path that begins with a dash can be given as --db=-x or ./-x; a flag there means that the path was forgotten.
function valueAfter(args: string[]): string {
  return args.length === 0 || args[0].startsWith("-") ? "" : args.shift()!;
}

/** Refuses what looks like a flag to a person and like an argument to the parser. */
function checkFlag(arg: string): void {
  // The expressions take a quarter of a millisecond to compile.
  if (!arg.startsWith("--")) return;
  if (/^--[a-z][\w-]*=$/i.test(arg)) {
    throw new QueuectlError("usage", `Flag ${arg.slice(0, -1)} needs a value`);
  }
  if (/^--\w$/.test(arg)) throw new QueuectlError("usage", `Unknown flag "${arg}"`);
}
