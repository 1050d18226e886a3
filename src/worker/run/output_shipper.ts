/** Sends what running commands print to a shared store, so that it can be read on every host. */

import type { NewOutputPart, OutputStream, Store } from "../../store/store.ts";
import type { JobRun } from "./job_run.ts";
import { keptParts } from "../spool/output.ts";
import { printedLength, readPrinted, streams } from "../spool/spool_output.ts";

/** Milliseconds between two statements. */
const interval = 250;
/** Bytes that one statement has at most, and of each output. */
const [batchLimit, streamLimit] = [2 * 1024 ** 2, 256 * 1024];

/** How far an output has been sent: `part` is where the last piece begins, which grows on. */
interface Progress {
  part: number;
  end: number;
}

/**
 * Sends what is new whenever it is called, four times a second at most and nothing where nothing was printed; of each output at
 * most the first and last part of `limit` bytes stays in the store. What fails is told to `report` once, and tried again.
 */
export function createOutputShipper(
  store: Store,
  limit: () => number,
  report: (text: string) => void,
): (runs: Iterable<JobRun>) => void {
  const sent = new WeakMap<JobRun, Record<OutputStream, Progress>>();
  let busy = false;
  let failing = false;
  let nextAt = 0;
  /** With which run the next statement begins, so that none waits for ever behind others that print more. */
  let first = 0;

  function collect(runs: readonly JobRun[]): { parts: NewOutputPart[]; confirm: () => void } {
    const parts: NewOutputPart[] = [];
    const confirmations: Array<() => void> = [];
    let left = batchLimit;
    for (let index = 0; index < runs.length && left > 0; index++) {
      const run = runs[(first + index) % runs.length];
      const progress = sent.get(run) ?? { out: { part: 0, end: 0 }, err: { part: 0, end: 0 } };
      sent.set(run, progress);
      for (const stream of streams) {
        const found = newParts(run, stream, progress[stream], Math.min(left, streamLimit));
        if (!found) continue;
        parts.push(...found.parts);
        confirmations.push(() => progress[stream] = found.progress);
        left -= found.parts.reduce((sum, { content }) => sum + content.length, 0);
      }
    }
    first++;
    return { parts, confirm: () => confirmations.forEach((action) => action()) };
  }

  /** What has been printed since, in pieces of one length; undefined when nothing was. */
  function newParts(
    { claim, files }: JobRun,
    stream: OutputStream,
    { part, end }: Progress,
    budget: number,
  ): { parts: NewOutputPart[]; progress: Progress } | undefined {
    const printed = printedLength(files, stream);
    if (printed <= end) return undefined;
    const { head, size, tailFrom } = keptParts(limit(), printed);
    const gap = tailFrom > head ? { from: head, to: tailFrom } : null;
    let at = part >= head && part < tailFrom ? tailFrom : part;
    const parts: NewOutputPart[] = [];
    let progress = { part, end };
    for (let left = budget; at < printed && left > 0;) {
      const length = Math.min(size - at % size, left);
      const found = readPrinted(files, stream, at, length);
      // It was emptied meanwhile.
      if (!found || found.content.length === 0) break;
      const { position, content } = found;
      const { seq, run, claim: number } = claim;
      parts.push({
        seq,
        run,
        claim: number,
        stream,
        position,
        content,
        gap: parts.length === 0 ? gap : null,
      });
      progress = { part: position, end: position + content.length };
      left -= content.length;
      at = progress.end;
      if (at >= head && at < tailFrom) at = tailFrom;
    }
    // The last piece is sent again while it grows, a full one is not.
    if (progress.end % size === 0) progress.part = progress.end;
    return parts.length > 0 ? { parts, progress } : undefined;
  }

  async function ship(runs: readonly JobRun[]): Promise<void> {
    const { parts, confirm } = collect(runs);
    if (parts.length === 0) return;
    nextAt = performance.now() + interval;
    await store.keepOutput(parts);
    confirm();
    failing = false;
  }

  return (runs) => {
    if (!store.shared || busy || performance.now() < nextAt) return;
    busy = true;
    ship([...runs]).catch((error) => {
      nextAt = performance.now() + interval;
      if (!failing) report(`cannot send what its commands print: ${(error as Error).message}`);
      failing = true;
    }).finally(() => busy = false);
  };
}
