/** Signals that people send to commands: each is delivered once to the tree of its command, and then forgotten. */

import type { SignalRequest, Store } from "../../store/store.ts";
import type { JobRun } from "./job_run.ts";
import { canSignal } from "../host/processes.ts";

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
    if (run) await sendTo(run, name);
    delivered.add(id);
    wake();
  }

  async function sendTo({ claim: { id }, signal }: JobRun, name: string): Promise<void> {
    if (!canSignal) return say(`job ${id} cannot be sent ${name}: Windows has no signals`);
    try {
      // Else it has ended meanwhile, which is told anyway.
      if (await signal(name as Deno.Signal)) say(`job ${id} was sent ${name}`);
    } catch (error) {
      // Who sent it may be on a host that knows others.
      say(`job ${id} cannot be sent ${name}: ${(error as Error).message}`);
    }
  }

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
