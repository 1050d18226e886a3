/** How many files managers and workers have open, and whether they may (`ulimit -n`): asked before they begin. */

import { QueuectlError } from "../../base/errors.ts";

/**
 * Files that a process has open by itself, how many of them before it begins, and those for each worker or command: of its
 * runner, and of another one that is set aside meanwhile.
 */
const [ownFiles, firstFiles, filesForEach] = [40, 24, 6];

/** Throws `usage` where this process and its workers may have fewer files open than they need. */
export function refuseFewFiles({ count, concurrency }: { count: number; concurrency: number }): void {
  if (Deno.build.os === "windows") return;
  const needed = ownFiles + filesForEach * Math.max(count, concurrency);
  using files = new DisposableStack();
  try {
    for (let file = firstFiles; file < needed; file++) files.use(Deno.openSync("/"));
  } catch (error) {
    // EMFILE: the limit of a process. What the whole system lacks is waited for where it is needed.
    if (!/\(os error 24\)/.test(String(error))) return;
    throw new QueuectlError(
      "usage",
      `Too few files may be open for --count ${count} and --concurrency ${concurrency}; ` +
        `raise the limit: ulimit -n ${needed}`,
      { cause: error },
    );
  }
}
