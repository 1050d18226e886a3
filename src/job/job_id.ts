import { uuidv7 } from "uuidv7";

/**
 * A new job id: a UUIDv7 (RFC 9562), so that ids sort, and are stored, in the order in which they were made. The `uuid`
 * package would load node:crypto for it, which costs every `enqueue` 45 ms of processor time.
 */
export function newJobId(): string {
  return uuidv7();
}
