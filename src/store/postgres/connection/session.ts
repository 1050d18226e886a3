/**
 * One session with a server, which never connects again by itself: what is sent after a loss must not run outside the
 * transaction that it was meant for.
 */

import type { Duplex } from "node:stream";
import postgres from "postgres";
import { watchAuthentication } from "./authentication.ts";
import type { ConnectionOptions, Server } from "./options.ts";
import {
  SessionLostError,
  TimeoutError,
  UnfitSessionError,
  type UntrustedServerError,
} from "./connection_errors.ts";
import { type Encryption, serverEndPoint } from "./encrypted_stream.ts";
import { beginLogin, type Login } from "./scram.ts";
import { openSocket } from "./socket.ts";

/** A row by the names of its columns; whole numbers are numbers. */
export type Row = Record<string, unknown>;

/** Milliseconds that the server gets to take note of a farewell. */
const farewellTime = 1000;

export interface Statement {
  text: string;
  /** For `$1`, `$2`, …; without any the text may be several statements. */
  parameters?: readonly unknown[];
}

/** What a statement gave. */
export interface Answer {
  rows: Row[];
  /** What the server says it has done: `INSERT`, `COMMIT`, … */
  command: string;
}

export interface Session {
  readonly isOpen: boolean;
  /** The first number of the server's version, as 17. */
  readonly serverVersion: number;
  /** Whether its commits are confirmed before they are on the disk, where nothing else is said. */
  readonly isCommitLazy: boolean;
  /** Resolves when it has ended, by whomever. */
  readonly ended: Promise<void>;
  /**
   * Sends all statements at once and waits for their answers, at most `patience` milliseconds. Throws the first error
   * that the server reports, and SessionLostError when the session has ended.
   */
  send(statements: readonly Statement[], patience: number): Promise<Answer[]>;
  close(): Promise<void>;
}

/** Opens a session with the first server that will do. `notified` gets the payloads of what is listened to. */
export async function openSession(
  options: ConnectionOptions,
  notified?: (payload: string) => void,
): Promise<Session> {
  let failure: unknown;
  for (const server of options.shuffle ? shuffled(options.servers) : options.servers) {
    for (const encryption of encryptions(options, server)) {
      try {
        return await openOne(options, server, encryption, notified);
      } catch (error) {
        failure ??= error;
        // Only where a server refuses this kind of connection another kind is worth a try.
        if ((error as { code?: unknown }).code !== "28000") break;
      }
    }
  }
  throw failure;
}

function shuffled(servers: readonly Server[]): Server[] {
  const placed = servers.map((server) => ({ server, place: Math.random() }));
  return placed.sort((a, b) => a.place - b.place).map(({ server }) => server);
}

/** The attempts that `sslmode` stands for, in libpq's order. */
function encryptions({ sslMode, channelBinding }: ConnectionOptions, server: Server): Encryption[] {
  if (server.socket !== null) return ["none"];
  if (channelBinding && !sslMode.startsWith("verify")) return ["unverified"];
  switch (sslMode) {
    case "disable":
      return ["none"];
    case "allow":
      return ["none", "unverified"];
    case "prefer":
      return ["if offered", "none"];
    case "require":
      return ["unverified"];
    case "verify-ca":
      return ["verified"];
    case "verify-full":
      return ["verified with host name"];
  }
}

async function openOne(
  options: ConnectionOptions,
  server: Server,
  encryption: Encryption,
  notified?: (payload: string) => void,
): Promise<Session> {
  const { connectTimeout } = options;
  const socket = await openSocket(server, encryption, options);
  let session: ReturnType<typeof sessionOn> | undefined;
  try {
    const login = options.channelBinding
      ? beginLogin(server.password ?? "", serverEndPoint(socket))
      : undefined;
    // Whose a socket is was looked at before it was opened.
    const isKnown = server.socket !== null || encryption === "verified" ||
      encryption === "verified with host name";
    session = sessionOn(socket, options, server, isKnown, login, notified);
    await session.begin(connectTimeout);
    if (options.writable) await refuseReplica(session, connectTimeout);
    return session;
  } catch (error) {
    socket.destroy();
    await session?.close();
    throw error;
  }
}

async function refuseReplica(session: Session, patience: number): Promise<void> {
  const [{ rows: [row] }] = await session.send([{ text: "SHOW transaction_read_only" }], patience);
  if (row.transaction_read_only === "on") {
    throw Object.assign(new Error("it is read-only"), { code: "25006" });
  }
}

function sessionOn(
  socket: Duplex,
  options: ConnectionOptions,
  server: Server,
  isKnown: boolean,
  login: Login | undefined,
  notified: ((payload: string) => void) | undefined,
): Session & { begin(patience: number): Promise<void> } {
  // Each waits on a promise of its own: one that lasts as long as the session would keep every answer until its end.
  const waiting = new Set<(error: Error) => void>();
  let isOpen = true;
  const lose = (reason: string | Error) => {
    isOpen = false;
    for (const reject of waiting) reject(reason instanceof Error ? reason : new SessionLostError(reason));
  };
  const gone = Promise.withResolvers<void>();
  // Not every kind of stream says both.
  for (const event of ["end", "close"]) {
    socket.once(event, () => {
      lose("the connection was closed");
      socket.destroy();
      gone.resolve();
    });
  }
  socket.on("error", (error: Error) => lose(error.message));
  function refuse(error: UntrustedServerError): void {
    lose(error);
    socket.destroy();
    // Not every Deno tells of a socket that was destroyed.
    gone.resolve();
  }
  let isTaken = false;
  let isCommitLazy = false;
  const sql = withoutVariable("PGTARGETSESSIONATTRS", () =>
    postgres({
      host: server.host,
      port: server.port,
      username: options.user,
      password: server.password ?? "",
      database: options.database,
      max: 1,
      ssl: false,
      prepare: options.prepare,
      connection: { application_name: options.applicationName, options: options.serverOptions },
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: 0,
      keep_alive: null,
      // Each only exists for one session.
      backoff: 0,
      no_subscribe: true,
      debug: false,
      types: { integer8: { to: 20, from: [20], parse: Number, serialize: String } },
      onnotice: () => {},
      onnotify: (_channel: string, payload: string) => notified?.(payload),
      socket() {
        if (isTaken) throw new SessionLostError("the connection was closed");
        isTaken = true;
        watchAuthentication(socket, options.authentication, isKnown, refuse, login);
        return socket;
      },
      // deno-lint-ignore no-explicit-any -- its types lack half of the options that it documents
    } as any));
  let reserved: { unsafe: typeof sql.unsafe } = sql;

  function start({ text, parameters = [] }: Statement) {
    // deno-lint-ignore no-explicit-any -- any value can be a parameter
    return reserved.unsafe(text, parameters as any, { prepare: options.prepare }).execute();
  }

  async function send(statements: readonly Statement[], patience: number): Promise<Answer[]> {
    if (!isOpen) throw new SessionLostError("the connection was closed");
    const lost = Promise.withResolvers<never>();
    // Nobody waits for it any more when an answer has come.
    lost.promise.catch(() => {});
    waiting.add(lost.reject);
    const timer = setTimeout(() => {
      lose(new TimeoutError(patience).message);
      socket.destroy();
      // Not every Deno tells of a socket that was destroyed.
      gone.resolve();
    }, patience);
    try {
      const settled = await Promise.race([Promise.allSettled(statements.map(start)), lost.promise]);
      // What comes after the first error fails because of it.
      const failed = settled.find((result) => result.status === "rejected");
      if (failed) throw isOpen && !isOfConnection(failed.reason) ? failed.reason : await lost.promise;
      return settled.map((result) => answerOf((result as PromiseFulfilledResult<never>).value));
    } finally {
      clearTimeout(timer);
      waiting.delete(lost.reject);
    }
  }

  return {
    get isOpen() {
      return isOpen;
    },
    get serverVersion() {
      return Number.parseInt((sql.parameters as Record<string, string>).server_version);
    },
    get isCommitLazy() {
      return isCommitLazy;
    },
    ended: gone.promise,
    send,
    async begin(patience) {
      const text = `SELECT current_setting('synchronous_commit') = 'off' AS lazy,
        current_setting('session_replication_role') = 'replica' AS mute`;
      const [{ rows: [row] }] = await send([{ text }], patience);
      if (row.mute === true) {
        throw new UnfitSessionError(
          "session_replication_role is replica for its sessions, so that triggers do nothing",
        );
      }
      isCommitLazy = row.lazy === true;
      // From here on it belongs to us alone, so that the driver never connects anew for what is still to be sent.
      reserved = await sql.reserve();
    },
    async close() {
      if (isOpen) {
        lose("the connection was closed");
        // "I am leaving" in PostgreSQL's protocol.
        socket.write(new Uint8Array([0x58, 0, 0, 0, 4]), () => socket.destroy());
      } else {
        socket.destroy();
      }
      const timer = setTimeout(() => {
        socket.destroy();
        gone.resolve();
      }, farewellTime);
      await gone.promise;
      clearTimeout(timer);
    },
  };
}

/** Whether it is the driver or the system that speaks of the connection, and not the server of a statement. */
const isOfConnection = (error: unknown) =>
  /^(CONNECT|ECONN|EPIPE|ETIMEDOUT)/.test(String((error as { code?: unknown }).code));

/** The driver reads variables itself and does not know all their values; what they mean is decided before. */
function withoutVariable<T>(name: string, action: () => T): T {
  const value = Deno.env.get(name);
  if (value === undefined) return action();
  Deno.env.delete(name);
  try {
    return action();
  } finally {
    Deno.env.set(name, value);
  }
}

function answerOf(result: Row[] & { command?: string }): Answer {
  return { rows: [...result], command: result.command ?? "" };
}
