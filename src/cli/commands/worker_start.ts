import { allowances, databaseUrl } from "../../job/settings.ts";
import type { Context } from "../context.ts";
import { wholeNumber } from "../arguments/flag_values.ts";
import { queueNames } from "../arguments/queue_name.ts";

/** Runs a manager in the foreground; its exit status is the one of the program. */
export async function workerStart(
  this: Context,
  flags: {
    count?: string;
    concurrency?: string;
    queue?: readonly string[];
    drain?: boolean;
    "pass-database"?: boolean;
  },
): Promise<void> {
  const count = wholeNumber("count", flags.count, { minimum: 1, maximum: 256, default: 1 });
  const concurrency = wholeNumber("concurrency", flags.concurrency, {
    minimum: 1,
    maximum: 1024,
    default: 1,
  });
  const queues = queueNames("queue", flags.queue);
  const { runBelowReaper } = await import("../../worker/host/first_process.ts");
  const { startWorkers } = await import("../../worker/manager/supervisor.ts");
  this.process.exitCode = await runBelowReaper() ?? await startWorkers({
    url: databaseUrl(this.db),
    count,
    concurrency,
    queues,
    drain: flags.drain ?? false,
    allowed: allowances(this.allowed),
    passDatabase: flags["pass-database"] ?? false,
  });
}
