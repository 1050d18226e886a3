import { QueuectlError } from "../../base/errors.ts";
import { delay } from "../../base/delay.ts";
import { printMessage } from "./log.ts";

/**
 * Tries until it works, once a second: while the system has no process, file or memory to spare, nothing can be known
 * about commands and nothing must be decided about their jobs. What a user has to change first is thrown.
 */
export async function untilPossible<T>(action: () => T | Promise<T>): Promise<T> {
  for (let said = false;; said = true) {
    try {
      return await action();
    } catch (error) {
      if (error instanceof QueuectlError) throw error;
      // Said once, on standard error: it is no fault of any job, and it can last.
      if (!said) printMessage(`queuectl: ${(error as Error).message}; trying again every second`);
      await delay(1000);
    }
  }
}
