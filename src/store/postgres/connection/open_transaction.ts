/** A transaction that is left open while others are waited for. Nothing else can be done on its session meanwhile. */

import { QueuectlError } from "../../../base/errors.ts";
import type { Database, Run } from "./database.ts";
import { databaseError, UnknownOutcomeError } from "./error_remedies.ts";

/** Disposing of it rolls back, unless it was committed. */
export interface OpenTransaction extends AsyncDisposable {
  /** The session, whose batches and transactions are parts of this one. */
  database: Database;
  run: Run;
  /** Throws `database`, also when only the confirmation got lost. */
  commit(): Promise<void>;
}

/**
 * Begins one with `first`, which is tried again where it fails for a reason that passes. What comes after it is not:
 * when the connection is lost everything is rolled back, and `run` and `commit` throw `database`.
 */
export async function openTransaction(
  database: Database,
  first: (run: Run) => Promise<void>,
): Promise<OpenTransaction> {
  const { options } = database;
  const begun = Promise.withResolvers<Run>();
  const ending = Promise.withResolvers<void>();
  // Nobody may be waiting when it is rolled back.
  ending.promise.catch(() => {});
  let isBegun = false;
  const ended = database.transaction(async (run) => {
    if (isBegun) throw interrupted(options.location, undefined);
    await first(run);
    isBegun = true;
    begun.resolve(run);
    await ending.promise;
  }, { pace: "slow", unknown: "tell" });
  ended.catch(begun.reject);
  const inner = await begun.promise;
  const run: Run = async (text, parameters) => {
    try {
      return await inner(text, parameters);
    } catch (error) {
      throw databaseError(options, error);
    }
  };
  return {
    run,
    database: {
      ...database,
      async batch(statements) {
        const answers = [];
        for (const { text, parameters } of statements) answers.push(await run(text, parameters));
        return answers;
      },
      transaction: (body) => body(run, false),
    },
    async commit() {
      ending.resolve();
      try {
        await ended;
      } catch (error) {
        if (!(error instanceof UnknownOutcomeError)) throw error;
        // Its words are for somebody who cannot find out.
        throw interrupted(options.location, error);
      }
    },
    async [Symbol.asyncDispose]() {
      ending.reject(new QueuectlError("database", `The change of ${options.location} was given up`));
      // Why it ended was told to whoever needed it to go on.
      await ended.catch(() => {});
    },
  };
}

const interrupted = (location: string, cause: unknown) =>
  new QueuectlError("database", `The connection to ${location} was lost`, { cause });
