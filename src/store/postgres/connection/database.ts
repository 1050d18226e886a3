/**
 * Transactions on one session with a server, one at a time.
 *
 * - A batch is one round trip: BEGIN, its statements and COMMIT go out together, and the server skips what comes after
 *   an error. Nothing of a session outlives its transaction but prepared statements: a pooler may give every
 *   transaction another session.
 * - Every transaction sets where names are looked for, see safe_path.ts, and its own time limits, and keeps the planner
 *   from reading whole tables: right after a burst its statistics are those of an empty queue.
 * - What fails for a reason that passes is tried again, on a new connection where the old one is lost. Whoever changes
 *   something says what is to be done when nobody knows whether a lost commit has happened.
 */

import type { TellDamage } from "../../damage.ts";
import type { ConnectionOptions } from "./options.ts";
import { databaseError, isUnreachable, remedy, UnknownOutcomeError } from "./error_remedies.ts";
import { type Answer, openSession, type Row, type Session, type Statement } from "./session.ts";
import { searchPath } from "./safe_path.ts";
import { SessionLostError } from "./connection_errors.ts";

export type { Row, Statement } from "./session.ts";

export interface Effort {
  /** `quick` is for what takes milliseconds; `slow` for what may read or write all jobs. Default: quick. */
  pace?: "quick" | "slow";
  /** When nobody knows whether it was committed: run it again, which has to be right then, or tell. Default: again. */
  unknown?: "again" | "tell";
  /** Reads one state of the database and changes nothing. */
  readOnly?: boolean;
  /** The server chooses how to read, with several processes where it likes. Default: by indexes alone. */
  planned?: boolean;
}

/** Runs a statement of a transaction. */
export type Run = (text: string, parameters?: readonly unknown[]) => Promise<Row[]>;

export interface Database {
  readonly options: ConnectionOptions;
  /** Tells this store from others in what it sends to them. */
  readonly sender: string;
  /** Is told of damaged rows that are left out. */
  tellDamage: TellDamage;
  /** Milliseconds since 1970 by the clock of a test; null for the clock of the server. */
  now(): number | null;
  /** Runs statements in one transaction and one round trip; gives the rows of each. */
  batch(statements: readonly Statement[], effort?: Effort): Promise<Row[][]>;
  /** The same on another session, which nothing here waits for; tried once, with `patience` milliseconds for the answer. */
  batchOn(session: Session, statements: readonly Statement[], patience: number): Promise<Row[][]>;
  /** Runs `body` in one transaction; rolls back when it throws. `again` tells that a lost commit may have happened. */
  transaction<T>(body: (run: Run, again: boolean) => Promise<T>, effort?: Effort): Promise<T>;
  /**
   * After so many milliseconds (Infinity: as long as usual) nothing waits any more for a server that is not there, and soon
   * after that for one that does not answer.
   */
  hasten(milliseconds: number): void;
  /** Given from then on. */
  readonly givenUp: AbortSignal;
  close(): Promise<void>;
}

/** Milliseconds for a statement, for a lock, for a client that falls silent within a transaction, and for an answer. */
export const standardLimits = {
  quick: { statement: 10_000, lock: 5000, idle: 10_000, answer: 15_000 },
  slow: { statement: 3_600_000, lock: 5000, idle: 60_000, answer: 3_660_000 },
};
/** Milliseconds for which a busy server is tried again, and one that cannot be reached. */
const busyLimit = 120_000;
const unreachableLimit = 30_000;
/** The same while a store is being opened, where somebody may have mistyped the address. */
const openingLimit = 3000;
/** Milliseconds for a last answer of a server that was there before. */
const lastPatience = 4000;

/** Opens the first session. `limits` are for tests. Throws `database`. */
export async function connect(
  options: ConnectionOptions,
  clock?: () => number,
  limits = standardLimits,
  tellDamage: TellDamage = () => {},
): Promise<Database> {
  const qualified = qualifier(options.schema);
  let session: Session | undefined = await openPatiently();
  let isClosed = false;
  const giving = new AbortController();
  const gaveUp = Promise.withResolvers<never>();
  // Nobody may be waiting for it.
  gaveUp.promise.catch(() => {});
  let giveUpTimer: ReturnType<typeof setTimeout> | undefined;
  /** When it is not worth while any more to try again. */
  let hastenedUntil = Infinity;
  /** Whether the last attempt has failed for want of a server. */
  let isMissing = false;
  // Transactions wait for one another: their statements must not mix.
  let last: Promise<unknown> = Promise.resolve();

  async function openPatiently(): Promise<Session> {
    const giveUpAt = performance.now() + openingLimit;
    for (let pause = 50;; pause = Math.min(pause * 2, 1000)) {
      try {
        return await openSession(options);
      } catch (error) {
        if (remedy(error) !== "wait" || performance.now() > giveUpAt) throw databaseError(options, error);
        await sleep(pause);
      }
    }
  }

  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = last.then(action);
    last = result.catch(() => {});
    return result;
  }

  async function currentSession(): Promise<Session> {
    if (session?.isOpen) return session;
    await session?.close();
    session = undefined;
    if (isClosed) throw new SessionLostError("the store is closed");
    if (giving.signal.aborted) await gaveUp.promise;
    const opening = openSession(options);
    try {
      return session = await Promise.race([opening, gaveUp.promise]);
    } catch (error) {
      // It cannot be called off: whatever comes of it is closed then.
      if (giving.signal.aborted) opening.then((session) => session.close(), () => {});
      throw error;
    }
  }

  function giveUp(): void {
    gaveUp.reject(new SessionLostError("it does not answer"));
    giving.abort();
    void session?.close();
  }

  /** Tries until it works. `attempt` says, before it throws, whether it has sent a commit. */
  async function patiently<T>(
    attempt: (session: Session, again: boolean, sending: () => void) => Promise<T>,
    effort: Effort,
  ): Promise<T> {
    const startedAt = performance.now();
    let again = false;
    for (let pause = 10;; pause = Math.min(pause * 2, 1000)) {
      let isCommitSent = false;
      try {
        const result = await attempt(await currentSession(), again, () => isCommitSent = true);
        isMissing = false;
        return result;
      } catch (error) {
        const found = isUnreachable(error) ? "wait" : remedy(error);
        isMissing = found === "wait" || found === "reconnect";
        if (found === "reconnect") {
          await session?.close();
          if (isCommitSent && effort.readOnly !== true) {
            if (effort.unknown === "tell") throw new UnknownOutcomeError(options, error);
            again = true;
          }
        }
        const limit = found === "repeat" ? busyLimit : unreachableLimit;
        const now = performance.now();
        const isOver = isClosed || now - startedAt > limit || isMissing && now > hastenedUntil;
        if (found === "give up" || isOver) throw databaseError(options, error);
        await sleep(Math.random() * pause, giving.signal);
      }
    }
  }

  async function sendBatch(
    session: Session,
    statements: readonly Statement[],
    effort: Effort,
    timeLimits: typeof standardLimits.quick,
  ): Promise<Row[][]> {
    const all = [begin(session, effort, timeLimits), ...statements.map(qualified), { text: "COMMIT" }];
    const answers = await session.send(all, timeLimits.answer);
    return answers.slice(1, -1).map(({ rows }) => rows);
  }

  return {
    options,
    sender: crypto.randomUUID(),
    tellDamage,
    now: () => clock === undefined ? null : clock(),
    batch: (statements, effort = {}) =>
      inTurn(() =>
        patiently((session, _again, sending) => {
          sending();
          return sendBatch(session, statements, effort, limits[effort.pace ?? "quick"]);
        }, effort)
      ),
    batchOn(session, statements, patience) {
      // The server is to give up before we do, and say why.
      const server = Math.ceil(patience * 0.8);
      return sendBatch(session, statements, {}, {
        statement: server,
        lock: server,
        idle: server,
        answer: patience,
      });
    },
    transaction: (body, effort = {}) =>
      inTurn(() =>
        patiently(async (session, again, sending) => {
          const patience = limits[effort.pace ?? "quick"].answer;
          let opening: Statement[] = [begin(session, effort, limits[effort.pace ?? "quick"])];
          const run: Run = async (text, parameters) => {
            const answers: Answer[] = await session.send(
              [...opening, qualified({ text, parameters })],
              patience,
            );
            opening = [];
            return answers.at(-1)!.rows;
          };
          try {
            const result = await body(run, again);
            if (opening.length === 0) {
              sending();
              await session.send([{ text: "COMMIT" }], patience);
            }
            return result;
          } catch (error) {
            // Where that fails too the session is lost, and the server rolls back by itself.
            if (session.isOpen) {
              await session.send([{ text: "ROLLBACK" }], patience).catch(() => session.close());
            }
            throw error;
          }
        }, effort)
      ),
    hasten(milliseconds) {
      clearTimeout(giveUpTimer);
      hastenedUntil = performance.now() + milliseconds;
      if (milliseconds === Infinity) return;
      giveUpTimer = setTimeout(() => {
        if (isMissing) giveUp();
        else giveUpTimer = setTimeout(giveUp, lastPatience);
      }, milliseconds);
    },
    givenUp: giving.signal,
    async close() {
      isClosed = true;
      clearTimeout(giveUpTimer);
      await last;
      await session?.close();
    },
  };
}

/**
 * Puts the schema that was asked for in the place of `queuectl`, by which all statements call their tables, and which the
 * one that makes it ends with. No text that comes here may have the name itself: what is in it could be taken for this.
 */
function qualifier(schema: string): (statement: Statement) => Statement {
  if (schema === "queuectl") return (statement) => statement;
  const name = quoteIdentifier(schema);
  const texts = new Map<string, string>();
  return ({ text, parameters }) => {
    let changed = texts.get(text);
    if (changed === undefined) texts.set(text, changed = text.replaceAll(/\bqueuectl(?=\.|$)/g, () => name));
    return { text: changed, parameters };
  };
}

/** A name as SQL takes it, whatever it is made of. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * How a transaction reads by indexes alone: what workers do again and again, while the statistics of the server may be
 * those of an empty queue. To start processes takes longer than what an index finds.
 */
const byIndexes = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_sort: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  max_parallel_workers_per_gather: "0",
};

/** From here on a transaction reads as the server chooses, and from here on by indexes again. */
export const readAsPlanned = Object.keys(byIndexes).map((name) => `SET LOCAL ${name} TO DEFAULT`).join("; ");
export const readByIndexes = assignmentsOf(byIndexes).join("; ");

function assignmentsOf(settings: Record<string, unknown>): string[] {
  return Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`);
}

function begin(
  { serverVersion, isCommitLazy }: Session,
  { readOnly = false, planned = false }: Effort,
  { statement, lock, idle }: typeof standardLimits.quick,
): Statement {
  const mode = readOnly ? "ISOLATION LEVEL REPEATABLE READ READ ONLY" : "ISOLATION LEVEL READ COMMITTED";
  const settings = {
    search_path: searchPath,
    statement_timeout: statement,
    lock_timeout: lock,
    idle_in_transaction_session_timeout: idle,
    // A slow transaction may take long. Before version 17 there is no such limit.
    ...serverVersion >= 17 && { transaction_timeout: 0 },
    // What is acknowledged is not to be lost, whatever was set for the role or the database.
    ...isCommitLazy && { synchronous_commit: "on" },
    // A number is read as it was written.
    extra_float_digits: 1,
    jit: "off",
    ...planned ? {} : byIndexes,
  };
  return { text: [`BEGIN ${mode}`, ...assignmentsOf(settings)].join("; ") };
}

/** Resolves after so many milliseconds, or as soon as the signal is given. */
async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}
