/** Names and numbers of signals. Pure. */

import { constants } from "node:os";
import { QueuectlError } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";

/** The signals of this system by their names. Some numbers have two names: the usual one comes first. */
const numbers = Object.entries(constants.signals).map(([name, number]) => [name, number as number] as const);
const names = numbers.map(([name]) => name);

/** The name of a signal given as `TERM`, `SIGTERM` or 15, in any case; undefined where there is none. */
export function signalName(text: string): string | undefined {
  if (/^\d+$/.test(text)) return numbers.find(([, number]) => number === Number(text))?.[0];
  const upper = text.toUpperCase();
  return names.find((name) => name === upper || name === `SIG${upper}`);
}

/** The same. Throws `usage` for an unknown one, with the one that was perhaps meant. */
export function requireSignal(text: string): string {
  const name = signalName(text);
  if (name !== undefined) return name;
  const short = names.map((name) => name.slice(3));
  const near = /^\d+$/.test(text) ? "" : didYouMean(text.toUpperCase().replace(/^SIG/, ""), short);
  throw new QueuectlError("usage", `Unknown signal "${text}"${near}; the signal comes last, like TERM or 15`);
}
