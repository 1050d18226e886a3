/**
 * The requests that hand out jobs, and whether they were answered. When a connection is lost during the commit, nobody
 * knows whether the jobs were handed out. So each request has a name, which is written to the jobs, and which stays the
 * same until an answer has come: what is found under it belongs to an answer that got lost.
 */

import { UnknownOutcomeError } from "./connection/error_remedies.ts";

export interface Requests {
  /** Whether the last request of this kind was not answered. */
  isOpen(kind: string): boolean;
  /**
   * Runs `once` with a new name; when nobody knows what became of that, now or in an earlier call, `again` with the
   * same name, which also has to find what was handed out under it.
   */
  answer<T>(
    kind: string,
    once: (name: string) => Promise<T>,
    again: (name: string) => Promise<T>,
  ): Promise<T>;
}

export function createRequests(): Requests {
  const open = new Map<string, string>();
  return {
    isOpen: (kind) => open.has(kind),
    async answer(kind, once, again) {
      const earlier = open.get(kind);
      if (earlier !== undefined) return await settle(earlier);
      const name = crypto.randomUUID();
      try {
        return await once(name);
      } catch (error) {
        if (!(error instanceof UnknownOutcomeError)) throw error;
        open.set(kind, name);
        return await settle(name);
      }

      async function settle(name: string) {
        const result = await again(name);
        open.delete(kind);
        return result;
      }
    },
  };
}
