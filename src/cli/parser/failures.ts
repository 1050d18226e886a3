/** What an error is to the user: words and an exit status. */

import { exitStatus, QueuectlError } from "../../base/errors.ts";
import { reasonOf } from "../../base/files.ts";
import { printable } from "../../base/printable.ts";
import { cutEnd } from "../output/output.ts";
import { OutputError, printMessage } from "../output/standard_streams.ts";

/** Characters of an error message: it may quote what was given, which may be a megabyte. */
const maxMessageLength = 1000;

/** Says what was thrown; returns the exit status for it. */
export function report(thrown: unknown): number {
  const message = explain(thrown);
  if (message !== "") printMessage(message);
  return statusOf(thrown);
}

/** The exit status for what was thrown. */
export function statusOf(thrown: unknown): number {
  const error = causeOf(thrown);
  return error instanceof OutputError && error.closed ? 0 : exitStatus(error);
}

/** The first error, and in place of what Deno refuses what a user can do about that. */
function causeOf(thrown: unknown): unknown {
  const error = firstError(thrown);
  if (!(error instanceof Deno.errors.NotCapable)) return error;
  const path = /"(.+)"/.exec(error.message)?.[1];
  if (path === undefined) return error;
  return new QueuectlError("usage", `Cannot use ${path}: ${reasonOf(error)}`, { cause: error });
}

// A failure often makes the clean-up after it fail too (a full disk does); the first one is what has to be told.
function firstError(error: unknown): unknown {
  return error instanceof SuppressedError ? firstError(error.suppressed) : error;
}

/** One line for what a user can meet, nothing where the reader of the output has gone, the stack for a bug. */
export function explain(thrown: unknown): string {
  const error = causeOf(thrown);
  if (error instanceof OutputError) return error.closed ? "" : error.message;
  if (error instanceof QueuectlError) return cutEnd(printable(error.message), maxMessageLength);
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
