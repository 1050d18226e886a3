/** Tests of the real program in a folder of its own, on a database that is not made yet. */

import assert from "node:assert/strict";
import { basename } from "node:path";
import { driversFor, driverTest } from "./driver_test.ts";
import { type Driver, drivers, type Place } from "./drivers.ts";
import { type ProgramResult, runProgram } from "./program.ts";
import { commandVariables } from "./shell_commands.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** Where programs of a test run. */
export interface ProgramSubject {
  /** The folder in which they run. */
  path: string;
  /** The database that they use. */
  place: Place;
  isSqlite: boolean;
  /** Their environment. Both the folder and the database are named in it: so they are known, whoever is their parent. */
  env: Record<string, string>;
  /** Runs the program with these arguments and standard input. */
  run(args: readonly string[], stdin?: string | Uint8Array): Promise<ProgramResult>;
  /** Nothing was made: no file and no database. */
  assertUntouched(): Promise<void>;
  /** Another database of the same kind, by what names it. */
  another(): string;
}

/** The environment for a database: what a server's queue keeps on this host is below the folder of the test too. */
export function environment(path: string, url: string): Record<string, string> {
  return { QUEUECTL_DB: url, XDG_STATE_HOME: `${path}/state`, ...commandVariables() };
}

/** Where a queue's spool is for programs in that environment, by where it is for this process. */
export function spoolIn(env: Record<string, string>, spool: string): string {
  const isOnServer = env.QUEUECTL_DB.includes("://");
  return isOnServer && Deno.build.os === "linux"
    ? `${env.XDG_STATE_HOME}/queuectl/${basename(spool)}`
    : spool;
}

/** Registers a test, once for each driver. */
export function programTest(
  name: string,
  body: (subject: ProgramSubject) => Promise<void>,
  options: { ignore?: boolean; on?: readonly Driver[] } = {},
): void {
  for (const driver of driversFor(options.on ?? drivers)) {
    driverTest(driver, name, async () => {
      await using stack = new AsyncDisposableStack();
      const { path } = stack.use(await temporaryFolder());
      const place = stack.use(driver.place(path));
      const env = environment(path, place.url);
      await body({
        path,
        place,
        isSqlite: driver.name === "sqlite",
        env,
        run: (args, stdin) => runProgram(args, { cwd: path, env, stdin }),
        async assertUntouched() {
          assert.deepEqual([...Deno.readDirSync(path)], []);
          assert.deepEqual(await place.tables(), []);
        },
        another: () => stack.use(driver.place(path, "other.db")).url,
      });
    }, { ignore: options.ignore });
  }
}
