/** Signals that people send to commands: each is delivered once to the tree of its command, and then forgotten. */

import type { SignalRequest, Store } from "../store/store.ts";
import type { JobRun } from "./job_run.ts";
import { canSignal } from "./processes.ts";

export interface SignalDelivery {
  /** Sends signals to those of the commands that are their runs; what is on its way already is not sent again. */
  deliver(signals: readonly SignalRequest[], running: ReadonlyMap<number, JobRun>): void;
  /** Removes from the store what has been delivered. */
  removeDelivered(): Promise<void>;
}

/** `say` is told in one line what was sent; `wake` is called when something is to be removed. */
export function createSignalDelivery(
  store: Pick<Store, "removeSignals">,
  say: (text: string) => void,
  wake: () => void,
): SignalDelivery {
  /** Those that the store still has. */
  const known = new Set<number>();
  const delivered = new Set<number>();

  async function send({ id, name }: SignalRequest, run: JobRun | undefined): Promise<void> {
    if (run) await run.signal(name as Deno.Signal).then(() => tell(run.claim.id, name), tellFailure);
    delivered.add(id);
    wake();
  }

  function tell(job: string, name: string): void {
    say(
      canSignal ? `job ${job} was sent ${name}` : `job ${job} cannot be sent ${name}: Windows has no signals`,
    );
  }

  // One that this system does not have.
  const tellFailure = (error: Error) => say(error.message);

  return {
    deliver(signals, running) {
      for (const signal of signals) {
        if (known.has(signal.id)) continue;
        known.add(signal.id);
        const run = running.get(signal.seq);
        void send(signal, run?.claim.run === signal.run ? run : undefined);
      }
    },
    async removeDelivered() {
      if (delivered.size === 0) return;
      const ids = [...delivered];
      await store.removeSignals(ids);
      for (const id of ids) {
        delivered.delete(id);
        known.delete(id);
      }
    },
  };
}
