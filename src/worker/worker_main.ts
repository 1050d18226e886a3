/** The program in `--worker` mode: a worker process of a manager, which it hears from by signals and its input. */

import { configFrom, isSharingAllowed } from "../config.ts";
import { exitStatus } from "../errors.ts";
import { openStore } from "../store/open.ts";
import { print, workerLine } from "./log.ts";
import { identify } from "./processes.ts";
import { openRunnerPool } from "./runner_pool.ts";
import { onStopSignal } from "./signals.ts";
import { makeSpool, sweep } from "./spool.ts";
import { untilPossible } from "./until_possible.ts";
import { endStrays } from "./strays.ts";
import { createWorker } from "./worker.ts";
import { stoppedStatus, type WorkerArguments, type WorkerAssignment } from "./worker_arguments.ts";

/** Runs a worker until it is stopped; `args` are `--worker` and its JSON. Resolves to the exit status. */
export async function workerMain(args: string[]): Promise<number> {
  const options: WorkerArguments = JSON.parse(args[1]);
  const assignment = await readAssignment();
  if (!assignment) return 0;
  const { manager, database, ignoreHangUp } = assignment;
  try {
    // Commands inherit it, so that a job can enqueue others.
    Deno.env.set("QUEUECTL_DB", database);
    // The database is opened while another process tells who this one is.
    const [identity, opened] = await Promise.all([
      untilPossible(identify),
      openStore(database, {
        missing: "create",
        durable: false,
        allowShared: isSharingAllowed(false),
      }),
    ]);
    await using store = opened;
    const { number, concurrency, queues } = options;
    makeSpool(store.spool);
    const worker = createWorker(
      store,
      openRunnerPool(identity.boot),
      configFrom(await store.settings()),
      (config) =>
        store.register({
          role: "worker",
          manager,
          number,
          concurrency,
          queues,
          identity,
          lease: config.lease,
        }),
      { ...options, manager },
    );
    onStopSignal((count) => {
      print([workerLine(number, "received termination signal")]);
      if (count === 1) worker.stopGracefully();
      else worker.stop(0);
    }, ignoreHangUp);
    untilInputEnds().then(() => worker.stop(Infinity));
    await endStrays(store, identity.boot);
    if (number === 1) await sweep(store.spool, (seq, run) => store.isRunning(seq, run), Date.now());
    return await worker.run() === "drained" ? 0 : stoppedStatus;
  } catch (error) {
    print([workerLine(options.number, `ended: ${(error as Error).message}`)]);
    const status = exitStatus(error);
    if (status === 1) console.error(error);
    return status;
  }
}

/** What the manager has for this worker; null when it is gone before. */
async function readAssignment(): Promise<WorkerAssignment | null> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  for (let text = "";;) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) return null;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    // Nothing follows it.
    if (text.endsWith("\n")) return JSON.parse(text);
  }
}

/** Resolves when the manager, which holds the other end, is gone. */
async function untilInputEnds(): Promise<void> {
  const buffer = new Uint8Array(1);
  while (await Deno.stdin.read(buffer) !== null);
}
