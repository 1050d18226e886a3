/** Every error a user can meet, and the exit status of the program for it. */

/** What went wrong, by kind; {@link exitStatus} maps each to the exit status of the program. */
export type ErrorCode =
  | "usage"
  | "not_found"
  | "conflict"
  | "database"
  | "newer_schema";

const exitStatusByCode: Record<ErrorCode, number> = {
  usage: 2,
  not_found: 3,
  conflict: 4,
  database: 5,
  newer_schema: 6,
};

/** An error that is explained to the user in one line: what, which, and what to do. */
export class QueuectlError extends Error {
  override readonly name = "QueuectlError";
  /** The id of the new job that it is about, where several came at once. */
  newJob?: string;

  constructor(readonly code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The exit status for an error: by its kind, and 1 for anything that is a bug of this program. */
export function exitStatus(error: unknown): number {
  return error instanceof QueuectlError ? exitStatusByCode[error.code] : 1;
}
