/** Checks of what is given to flags. Each throws `usage`, naming the flag, what it takes and what it got. */

import { parseDuration, parseNumber } from "../../base/duration.ts";
import { QueuectlError } from "../../base/errors.ts";

function wrongValue(flag: string, expects: string, text: string): QueuectlError {
  return new QueuectlError("usage", `Flag --${flag} takes ${expects}, not "${text}"`);
}

/** A whole number within bounds; the default where the flag was not given. */
export function wholeNumber(
  flag: string,
  text: string | undefined,
  bounds: { minimum: number; maximum: number; default: number },
): number {
  if (text === undefined) return bounds.default;
  const value = parseNumber(text);
  if (Number.isInteger(value) && value >= bounds.minimum && value <= bounds.maximum) return value;
  throw wrongValue(flag, `a whole number from ${bounds.minimum} to ${bounds.maximum}`, text);
}

/** Jobs that a list shows when `--limit` does not say it. */
export function limit(text: string | undefined): number {
  return wholeNumber("limit", text, { minimum: 1, maximum: 1_000_000, default: 1000 });
}

/** A duration in milliseconds. */
export function duration(flag: string, text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw wrongValue(flag, "a duration like 500ms, 30s, 10m or 2h", text);
  return value;
}

/** What was given to a flag several times, or with commas between. */
export const words = (given: readonly string[]): string[] =>
  given.flatMap((text) => text.split(",")).map((word) => word.trim());
