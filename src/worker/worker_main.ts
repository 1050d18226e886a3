/** The program in `--worker` mode: a worker process of a manager, which it hears from by its standard input. */

import { allowances, configFrom } from "../job/settings.ts";
import { exitStatus } from "../base/errors.ts";
import { openStore } from "../store/open.ts";
import { noLongerInPlace } from "../store/errors.ts";
import { flushLog, print, printMessage, workerLine } from "./host/log.ts";
import { isOfOther, ownOrigin } from "./lease/origin.ts";
import { isBeingRead, liveReaders } from "./spool/output_readers.ts";
import { identify, isInContainer } from "./host/processes.ts";
import { giveUpNetwork } from "./host/program.ts";
import { dropCallersVariables } from "./run/runner.ts";
import { openRunnerPool } from "./run/runner_pool.ts";
import { onStopSignal, surviveFileSizeLimit } from "./host/signals.ts";
import { makeSpool, runFiles, sweep } from "./spool/spool.ts";
import { leaveStartFolder } from "./host/start_folder.ts";
import { untilPossible } from "./host/until_possible.ts";
import { endStrays } from "./lease/strays.ts";
import { createWorker, type Worker } from "./worker.ts";
import {
  stopLine,
  stoppedStatus,
  type WorkerArguments,
  type WorkerAssignment,
} from "./host/worker_arguments.ts";

/** Runs a worker until it is stopped; `args` are `--worker` and its JSON. Resolves to the exit status. */
export async function workerMain(args: string[]): Promise<number> {
  const options: WorkerArguments = JSON.parse(args[1]);
  const lines = inputLines();
  // Without one its manager is gone.
  const { value: assignment } = await lines.next();
  if (assignment === undefined) return 0;
  const { manager, database, passDatabase, ignoreHangUp, folder }: WorkerAssignment = JSON.parse(assignment);
  try {
    // The database is opened while another process tells who this one is.
    const [identity, opened] = await Promise.all([
      untilPossible(identify),
      openStore(database, {
        // Its manager has made it.
        missing: "empty",
        durable: false,
        ...allowances(),
        damaged: (message) => print([workerLine(options.number, message)]),
      }),
    ]);
    await using store = opened;
    if (!store.exists) throw noLongerInPlace(store.location);
    leaveStartFolder(folder);
    if (!store.shared) giveUpNetwork();
    dropCallersVariables();
    // Commands inherit it, so that a job can enqueue others.
    Deno.env.set("QUEUECTL_DB", passDatabase ? store.url : store.urlWithoutPassword);
    const { number, concurrency, queues } = options;
    makeSpool(store.spool, allowances().allowShared);
    const worker = createWorker(
      store,
      openRunnerPool(identity.boot, ownOrigin(store)),
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
      { ...options, manager, folder, inContainer: isInContainer(identity) },
    );
    let stops = 0;
    const stop = () => {
      print([workerLine(number, "received termination signal")]);
      if (++stops === 1) worker.stopGracefully();
      else worker.stop(0, true);
    };
    onStopSignal(stop, ignoreHangUp);
    surviveFileSizeLimit();
    void obey(lines, worker, stop);
    await endStrays(store, identity.boot);
    if (number === 1) {
      const readers = liveReaders(store.spool);
      const isNeeded = async (seq: number, run: number) =>
        isBeingRead(runFiles(store.spool, seq, run), undefined, readers) || await store.isRunning(seq, run);
      await sweep(
        store.spool,
        isNeeded,
        Date.now(),
        (started) => started.boot === identity.boot && isOfOther(started, store.identities),
      );
    }
    return await worker.run() === "drained" ? 0 : stoppedStatus;
  } catch (error) {
    print([workerLine(options.number, `ended: ${(error as Error).message}`)]);
    const status = exitStatus(error);
    if (status === 1) printMessage((error as Error).stack ?? String(error));
    return status;
  } finally {
    await flushLog();
  }
}

/** What the manager has to say while the worker works: stop, as by a signal; or that it is gone, by the end. */
async function obey(lines: AsyncIterable<string>, worker: Worker, stop: () => void): Promise<void> {
  for await (const line of lines) if (line === stopLine) stop();
  worker.stop(Infinity);
}

/** The lines of standard input, each as soon as it is there. */
async function* inputLines(): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  for (let length; (length = await Deno.stdin.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) yield text.slice(0, end);
  }
}
