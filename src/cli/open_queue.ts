import { allowances, databaseUrl } from "../job/settings.ts";
import { openStore } from "../store/open.ts";
import type { OpenOptions, Store } from "../store/store.ts";
import { exitStatus, QueuectlError } from "../base/errors.ts";
import type { Context, DatabaseChoice } from "./context.ts";
import { printMessage } from "./output/standard_streams.ts";

/**
 * Opens the queue that the command is about, for a change that is to survive a power cut. Damaged rows that it meets are
 * told, and make its exit status that of a database that cannot be used, though it does what it can with the others.
 */
export async function openQueue(
  choice: DatabaseChoice & Partial<Pick<Context, "process">>,
  missing: OpenOptions["missing"],
): Promise<Store> {
  return await openStore(databaseUrl(choice.db), {
    missing,
    durable: true,
    ...allowances(choice.allowed),
    notify: printMessage,
    damaged(message) {
      printMessage(message);
      // What adds jobs has added all of them.
      if (choice.process && missing !== "create") {
        choice.process.exitCode ||= exitStatus(new QueuectlError("database", message));
      }
    },
  });
}
