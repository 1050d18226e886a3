import { databaseUrl, isSharingAllowed } from "../config.ts";
import { openStore } from "../store/open.ts";
import type { OpenOptions, Store } from "../store/store.ts";
import type { DatabaseChoice } from "./context.ts";
import { printMessage } from "./standard_streams.ts";

/** Opens the queue that the command is about, for a change that is to survive a power cut. */
export async function openQueue(choice: DatabaseChoice, missing: OpenOptions["missing"]): Promise<Store> {
  return await openStore(databaseUrl(choice.db), {
    missing,
    durable: true,
    allowShared: isSharingAllowed(choice.allowSharedDb),
    notify: printMessage,
  });
}
