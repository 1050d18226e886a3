/** What goes wrong with a server, told to the user in one line, and what may be tried again. */

import { QueuectlError } from "../../../base/errors.ts";
import { beingMoved } from "../../errors.ts";
import type { ConnectionOptions } from "./options.ts";
import {
  EncryptionError,
  SessionLostError,
  TimeoutError,
  UnfitSessionError,
  UntrustedServerError,
} from "./connection_errors.ts";

/** What to do about an error of the database. */
export type Remedy =
  /** The transaction was rolled back for a reason that passes: try it again. */
  | "repeat"
  /** The session is gone, or soon will be: connect anew; whether a commit that was sent has happened is not known. */
  | "reconnect"
  /** A server that is starting, or has too many sessions: connect again later. */
  | "wait"
  | "give up";

/** The code that the server or the system gives an error; empty where there is none. */
export const codeOf = (error: unknown) => String((error as { code?: unknown })?.code ?? "");

/** What is raised in a queue that is being moved; the text is the place to which it moves. */
export const sealCode = "QMOVE";

/** Another row has the same value in a unique index; its name tells in which. */
export const uniqueViolation = "23505";

/** Whether two jobs that have not ended would have one unique key. */
export function isKeyViolation(error: unknown): boolean {
  const reported = error instanceof QueuectlError ? error.cause : error;
  return codeOf(reported) === uniqueViolation &&
    (reported as { constraint_name?: unknown }).constraint_name === "jobs_unique";
}

/** What to do about an error of a statement or a connection. */
export function remedy(error: unknown): Remedy {
  if (error instanceof QueuectlError || !(error instanceof Error)) return "give up";
  if (error instanceof SessionLostError) return "reconnect";
  const code = codeOf(error);
  // Serialization failure, deadlock, lock not available, statement timeout.
  if (/^(40001|40P01|55P03|57014)$/.test(code)) return "repeat";
  // Too many sessions; the server is starting or ending.
  if (/^(53300|57P03)$/.test(code)) return "wait";
  // Connection exceptions; ended by an administrator, a crash, or a timeout of idle sessions or of transactions.
  if (/^(08...|57P0[1245]|25P0[34])$/.test(code)) return "reconnect";
  return "give up";
}

/** Whether no server could be reached: it may come back. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof TimeoutError ||
    /^(ECONN|EHOST|ENET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|ENOENT)/.test(codeOf(error)) ||
    /^(Connection|NotFound|TimedOut)/.test((error as Error)?.name ?? "");
}

/** The error of kind `database` for what a server or the network reported; errors of ours, and bugs, pass unchanged. */
export function databaseError(options: ConnectionOptions, error: unknown): unknown {
  if (error instanceof QueuectlError || !(error instanceof Error)) return error;
  if (codeOf(error) === sealCode) return beingMoved(options.location, error.message);
  const explanation = explain(options, error);
  if (explanation === undefined) return error;
  return new QueuectlError("database", `The database ${options.location} ${oneLine(explanation)}`, {
    cause: error,
  });
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, " ").trim();

function explain(options: ConnectionOptions, error: Error): string | undefined {
  const { user, database, servers } = options;
  const code = codeOf(error);
  if ([EncryptionError, UnfitSessionError, UntrustedServerError].some((kind) => error instanceof kind)) {
    return `cannot be used: ${error.message}`;
  }
  if (error instanceof SessionLostError) return `cannot be reached: ${error.message}`;
  // Deno's word for a name that no host can have, like `bad host` or `a..b`.
  if (error instanceof URIError || error.name === "URIError") {
    return `cannot be reached: ${
      servers.map(({ host }) => `"${host}"`).join(", ")
    } is no valid name of a host`;
  }
  if (isUnreachable(error)) return `cannot be reached: ${reason(error, servers)}`;
  switch (code) {
    case "28P01":
    case "28000": {
      const hint = servers.some(({ password }) => password !== null) || code === "28000"
        ? ""
        : "; give its password with PGPASSWORD or in ~/.pgpass";
      return `refuses user "${user}": ${error.message}${hint}`;
    }
    case "3D000":
      return `does not exist: create it with "createdb ${database}"`;
    case "42501":
      return `does not let user "${user}" do this: ${error.message}`;
    case "25006":
      return "cannot be written: the server is a read-only replica, or set to read-only";
    case "53100":
      return "cannot grow: the disk of the server is full";
    case "53300":
      return "has too many connections; raise max_connections of the server, or use a pooler";
    case "57P03":
      return `is not ready: ${error.message}`;
    case "57014":
    case "55P03":
      return "is busy: what was asked took too long, again and again";
    case "26000":
      return "lost a prepared statement, as some poolers do; add prepare=false to the URL";
    case "22003":
    case "22P02":
    case "22P05":
      return `is damaged: ${error.message}; "queuectl doctor" says more`;
    case "42P01":
    case "42703":
    case "42P07":
    case "42883":
    case "3F000":
      return `belongs to another program, or another program has changed it: ${error.message}`;
  }
  // Everything else that a server reports has a code of five characters, if it is one of PostgreSQL.
  return /^[0-9A-Z]{5}$/.test(code) || error.name === "PostgresError"
    ? `reports an error: ${error.message} (${code || "without a code"})`
    : undefined;
}

function reason(error: Error, servers: ConnectionOptions["servers"]): string {
  const places = servers.map(({ host, port, socket }) => socket ?? `${host}:${port}`).join(", ");
  const code = codeOf(error);
  if (/ENOTFOUND|EAI_/.test(code) || /lookup address/.test(error.message)) {
    return `the name of its host is not known (${places})`;
  }
  if (code === "ENOENT") return `there is no socket ${places}; is the server running?`;
  if (/ECONNREFUSED/.test(code) || error.name === "ConnectionRefused") {
    return `nothing listens at ${places}; is the server running?`;
  }
  return error instanceof TimeoutError ? `${error.message} from ${places}` : `${error.message} (${places})`;
}

/** Nobody knows whether a change has been made. */
export class UnknownOutcomeError extends QueuectlError {
  constructor({ location }: ConnectionOptions, cause: unknown) {
    const message = `The database ${location} was lost while the change was being confirmed: ` +
      "it may have been made or not; look before you repeat it";
    super("database", message, { cause });
  }
}
