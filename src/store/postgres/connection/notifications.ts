/**
 * Wake-up: who makes work available, or asks something of workers, notifies the channel that has the schema's name; who
 * waits listens on a connection of its own. Behind it everybody looks once a second anyway, because a notification can
 * be lost with a connection, and a pooler may let none through.
 *
 * Leases are renewed on the same connection: nothing that the store does meanwhile, and no query that hangs, delays it.
 */

import { type Database, quoteIdentifier, type Statement } from "./database.ts";
import { openSession, type Row, type Session } from "./session.ts";
import { SessionLostError, TimeoutError } from "./connection_errors.ts";

/** Milliseconds between two looks without a notification. */
const pollInterval = 1000;
/** Milliseconds between two signs of life of the connection, and for the answer to one. */
const standardHeartbeat = { interval: 10_000, patience: 5000 };
/** Milliseconds between two attempts to connect. */
const shortestPause = 100;
const longestPause = 10_000;

/** Tells all who listen, once the transaction is committed; who sends it is left out. */
export function notification({ options, sender }: Database): Statement {
  return { text: "SELECT pg_notify($1, $2)", parameters: [options.schema, sender] };
}

export interface Listener {
  /** Whether there may be something new since the last call. The first call begins to listen. */
  changed(): boolean;
  /** Calls `wake` with every notification, until what is returned is called. */
  watch(wake: () => void): () => void;
  /**
   * Runs statements in one transaction on this connection, within `patience` milliseconds: tried once, after waiting for
   * the connection where there is none now. Throws what the connection throws, and SessionLostError before it listens.
   */
  ask(statements: readonly Statement[], patience: number): Promise<Row[][]>;
  close(): Promise<void>;
}

/** Listens for what others do to the queue. `heartbeat` is for tests. */
export function createListener(database: Database, heartbeat = standardHeartbeat): Listener {
  const { options, sender } = database;
  // A test moves its own clock, and with it what counts as a second.
  const now = () => database.now() ?? performance.now();
  const stopping = Promise.withResolvers<void>();
  let isStopping = false;
  let isNotified = false;
  const wakers = new Set<() => void>();
  let lookAt = -Infinity;
  let listening: Promise<void> | undefined;
  let current: Session | undefined;
  /** Resolves when it listens on another connection. */
  let renewed = Promise.withResolvers<Session>();
  /** Ends the pause before the next attempt to connect. */
  let hurry = () => {};
  const stop = () => {
    isStopping = true;
    stopping.resolve();
  };
  // Nothing waits for the server then, nor for who listens to it.
  const givenUp = new Promise<void>((resolve) => database.givenUp.addEventListener("abort", () => resolve()));
  void givenUp.then(stop);

  function notified(): void {
    isNotified = true;
    for (const wake of wakers) wake();
  }

  async function listen(): Promise<void> {
    for (let pause = shortestPause; !isStopping; pause = Math.min(pause * 2, longestPause)) {
      let session: Session | undefined;
      try {
        session = await openSession(options, (payload) => {
          if (payload !== sender) notified();
        });
        await session.send([{ text: `LISTEN ${quoteIdentifier(options.schema)}` }], heartbeat.patience);
        // Nobody told what happened before.
        notified();
        pause = shortestPause;
        current = session;
        renewed.resolve(session);
        renewed = Promise.withResolvers();
        await keepAlive(session);
      } catch {
        // The connection for statements meets the same trouble, and has the words for it.
        const urged = Promise.withResolvers<void>();
        hurry = urged.resolve;
        await Promise.race([sleep(Math.random() * pause), urged.promise]);
      } finally {
        await session?.close();
      }
    }
  }

  async function keepAlive(session: Session): Promise<void> {
    while (!isStopping && session.isOpen) {
      await Promise.race([sleep(heartbeat.interval), session.ended]);
      if (!isStopping && session.isOpen) await session.send([{ text: "SELECT 1" }], heartbeat.patience);
    }
  }

  async function sleep(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const elapsed = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([elapsed, stopping.promise]).finally(() => clearTimeout(timer));
  }

  return {
    changed() {
      listening ??= listen();
      if (!isNotified && now() < lookAt) return false;
      isNotified = false;
      lookAt = now() + pollInterval;
      return true;
    },
    watch(wake) {
      wakers.add(wake);
      return () => void wakers.delete(wake);
    },
    async ask(statements, patience) {
      if (listening === undefined) throw new SessionLostError("nobody listens yet");
      hurry();
      const until = performance.now() + patience;
      const session = current?.isOpen ? current : await Promise.race([
        renewed.promise,
        sleep(patience).then(() => Promise.reject(new TimeoutError(patience))),
      ]);
      return await database.batchOn(session, statements, Math.max(1, until - performance.now()));
    },
    async close() {
      stop();
      await Promise.race([listening, givenUp]);
    },
  };
}
