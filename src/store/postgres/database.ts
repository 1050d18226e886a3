/**
 * Transactions on one session with a server, one at a time.
 *
 * - A batch is one round trip: BEGIN, its statements and COMMIT go out together, and the server skips what comes after
 *   an error. Nothing of a session outlives its transaction but prepared statements: a pooler may give every
 *   transaction another session.
 * - Every transaction sets its own time limits, and keeps the planner from reading whole tables: right after a burst
 *   its statistics are those of an empty queue.
 * - What fails for a reason that passes is tried again, on a new connection where the old one is lost. Whoever changes
 *   something says what is to be done when nobody knows whether a lost commit has happened.
 */

import type { ConnectionOptions } from "./connection_options.ts";
import { databaseError, isUnreachable, remedy, UnknownOutcomeError } from "./errors.ts";
import { type Answer, type Link, openLink, type Row, type Statement } from "./link.ts";
import { LinkLostError } from "./socket.ts";

export type { Row, Statement } from "./link.ts";

export interface Effort {
  /** `quick` is for what takes milliseconds; `slow` for what may read or write all jobs. Default: quick. */
  pace?: "quick" | "slow";
  /** When nobody knows whether it was committed: run it again, which has to be right then, or tell. Default: again. */
  unknown?: "again" | "tell";
  /** Reads one state of the database and changes nothing. */
  readOnly?: boolean;
  /** Tried once, whatever it fails for: somebody else needs the session. */
  once?: boolean;
}

/** Runs a statement of a transaction. */
export type Run = (text: string, parameters?: readonly unknown[]) => Promise<Row[]>;

export interface Database {
  readonly options: ConnectionOptions;
  /** Tells this store from others in what it sends to them. */
  readonly sender: string;
  /** Milliseconds since 1970 by the clock of a test; null for the clock of the server. */
  now(): number | null;
  /** Runs statements in one transaction and one round trip; gives the rows of each. */
  batch(statements: readonly Statement[], effort?: Effort): Promise<Row[][]>;
  /** The same on another session, which nothing here waits for; tried once, with `patience` milliseconds for the answer. */
  batchOn(link: Link, statements: readonly Statement[], patience: number): Promise<Row[][]>;
  /** Runs `body` in one transaction; rolls back when it throws. `again` tells that a lost commit may have happened. */
  transaction<T>(body: (run: Run, again: boolean) => Promise<T>, effort?: Effort): Promise<T>;
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

/** Opens the first session. `limits` are for tests. Throws `database`. */
export async function connect(
  options: ConnectionOptions,
  clock?: () => number,
  limits = standardLimits,
): Promise<Database> {
  const qualified = qualifier(options.schema);
  let link: Link | undefined = await openPatiently();
  let isClosed = false;
  // Transactions wait for one another: their statements must not mix.
  let last: Promise<unknown> = Promise.resolve();

  async function openPatiently(): Promise<Link> {
    const giveUpAt = performance.now() + openingLimit;
    for (let pause = 50;; pause = Math.min(pause * 2, 1000)) {
      try {
        return await openLink(options);
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

  async function currentLink(): Promise<Link> {
    if (link?.isOpen) return link;
    await link?.close();
    link = undefined;
    if (isClosed) throw new LinkLostError("the store is closed");
    return link = await openLink(options);
  }

  /** Tries until it works. `attempt` says, before it throws, whether it has sent a commit. */
  async function patiently<T>(
    attempt: (link: Link, again: boolean, sending: () => void) => Promise<T>,
    effort: Effort,
  ): Promise<T> {
    const startedAt = performance.now();
    let again = false;
    for (let pause = 10;; pause = Math.min(pause * 2, 1000)) {
      let isCommitSent = false;
      try {
        return await attempt(await currentLink(), again, () => isCommitSent = true);
      } catch (error) {
        const found = isUnreachable(error) ? "wait" : remedy(error);
        if (found === "reconnect") {
          await link?.close();
          if (isCommitSent && effort.readOnly !== true) {
            if (effort.unknown === "tell") throw new UnknownOutcomeError(options, error);
            again = true;
          }
        }
        const limit = effort.once ? 0 : found === "repeat" ? busyLimit : unreachableLimit;
        if (found === "give up" || performance.now() - startedAt > limit || isClosed) {
          throw databaseError(options, error);
        }
        await sleep(Math.random() * pause);
      }
    }
  }

  async function sendBatch(
    link: Link,
    statements: readonly Statement[],
    effort: Effort,
    timeLimits: typeof standardLimits.quick,
  ): Promise<Row[][]> {
    const all = [begin(effort, timeLimits), ...statements.map(qualified), { text: "COMMIT" }];
    const answers = await link.send(all, timeLimits.answer);
    return answers.slice(1, -1).map(({ rows }) => rows);
  }

  return {
    options,
    sender: crypto.randomUUID(),
    now: () => clock === undefined ? null : clock(),
    batch: (statements, effort = {}) =>
      inTurn(() =>
        patiently((link, _again, sending) => {
          sending();
          return sendBatch(link, statements, effort, limits[effort.pace ?? "quick"]);
        }, effort)
      ),
    batchOn(link, statements, patience) {
      // The server is to give up before we do, and say why.
      const server = Math.ceil(patience * 0.8);
      return sendBatch(link, statements, {}, {
        statement: server,
        lock: server,
        idle: server,
        answer: patience,
      });
    },
    transaction: (body, effort = {}) =>
      inTurn(() =>
        patiently(async (link, again, sending) => {
          const patience = limits[effort.pace ?? "quick"].answer;
          let opening: Statement[] = [begin(effort, limits[effort.pace ?? "quick"])];
          const run: Run = async (text, parameters) => {
            const answers: Answer[] = await link.send(
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
              await link.send([{ text: "COMMIT" }], patience);
            }
            return result;
          } catch (error) {
            // Where that fails too the session is lost, and the server rolls back by itself.
            if (link.isOpen) await link.send([{ text: "ROLLBACK" }], patience).catch(() => link.close());
            throw error;
          }
        }, effort)
      ),
    async close() {
      isClosed = true;
      await last;
      await link?.close();
    },
  };
}

/** Puts the schema that was asked for in the place of `queuectl`, by which all statements call their tables. */
function qualifier(schema: string): (statement: Statement) => Statement {
  if (schema === "queuectl") return (statement) => statement;
  const name = quoteIdentifier(schema);
  const texts = new Map<string, string>();
  return ({ text, parameters }) => {
    let changed = texts.get(text);
    if (changed === undefined) texts.set(text, changed = text.replaceAll(/\bqueuectl\./g, () => `${name}.`));
    return { text: changed, parameters };
  };
}

/** A name as SQL takes it, whatever it is made of. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function begin(
  { readOnly = false }: Effort,
  { statement, lock, idle }: typeof standardLimits.quick,
): Statement {
  const mode = readOnly ? "ISOLATION LEVEL REPEATABLE READ READ ONLY" : "ISOLATION LEVEL READ COMMITTED";
  const settings = {
    statement_timeout: statement,
    lock_timeout: lock,
    idle_in_transaction_session_timeout: idle,
    jit: "off",
    enable_seqscan: "off",
    enable_bitmapscan: "off",
    enable_sort: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
    // To start its processes takes longer than what an index finds.
    max_parallel_workers_per_gather: 0,
  };
  const sets = Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`);
  return { text: [`BEGIN ${mode}`, ...sets].join("; ") };
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
