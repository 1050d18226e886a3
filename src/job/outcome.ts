/** Exit statuses read as outcomes, and outcomes as words. */

import { constants } from "node:os";
import { formatSeconds } from "../base/duration.ts";
import { signedStatus, statusWords } from "./exit_status.ts";
import type { Outcome } from "./job.ts";

/** Characters of error output that `last_error` keeps: the end, where the reason is. The attempt keeps the rest. */
export const maxErrorLength = 8192;

// Some numbers have two names; the one that is listed first is the usual one (SIGABRT before SIGIOT).
const signalNames = new Map<number, string>(
  Object.entries(constants.signals).reverse().map(([name, number]) => [number as number, name]),
);

/**
 * Reads the exit status of a shell. A status of 128 + n, n being the number of a signal here, is read as that
 * signal, which is how a shell reports it; a command that exits with such a number itself looks the same. On Windows,
 * without signals, a number is nothing but itself.
 */
export function outcomeOfStatus(status: number, hasSignals = Deno.build.os !== "windows"): Outcome {
  const signal = hasSignals ? signalNames.get(status - 128) : undefined;
  return signal ? { kind: "signaled", signal, code: status } : { kind: "exited", code: signedStatus(status) };
}

/** The text kept as the job's `last_error`: what the command said last, or else how it ended. */
export function errorText(outcome: Outcome, errorOutput: string): string {
  switch (outcome.kind) {
    case "exited":
      return lastPart(errorOutput) || `Command exited with code ${statusWords(outcome.code)}`;
    case "signaled":
      return lastPart(errorOutput) || `Command was ended by ${outcome.signal}`;
    case "timed_out":
      return `Command timed out after ${formatSeconds(outcome.timeout)} seconds`;
    case "spawn_failed":
    case "lost":
      return outcome.message;
    case "handed_back":
    case "cancelled":
      return "";
  }
}

function lastPart(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length <= maxErrorLength) return trimmed;
  // A cut in the middle of a surrogate pair would leave half a character.
  return trimmed.slice(-maxErrorLength).replace(/^[\uDC00-\uDFFF]/, "");
}
