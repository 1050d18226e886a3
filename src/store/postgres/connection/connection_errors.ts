/** What can go wrong with a connection to a server. */

/** The connection has ended before all was answered. */
export class SessionLostError extends Error {
  override readonly name = "SessionLostError";
}

/** The server does not do what `sslmode` asks for. */
export class EncryptionError extends Error {
  override readonly name = "EncryptionError";
}

/** What answers is perhaps not the server, and is not told what only that may know. */
export class UntrustedServerError extends Error {
  override readonly name = "UntrustedServerError";
}

/** What was set for the session keeps a queue from being right. */
export class UnfitSessionError extends Error {
  override readonly name = "UnfitSessionError";
}

/** The server has not answered in time. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";

  constructor(timeout: number) {
    super(`no answer within ${Math.round(timeout / 1000)} seconds`);
  }
}
