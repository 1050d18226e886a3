/**
 * Commands whose worker is gone and whose files cannot be found: somebody has removed the spool, given the database another name
 * or looks for it in another folder. Their processes carry marks, which only Linux shows.
 */

import type { Store } from "../../store/store.ts";
import { delay } from "../../base/delay.ts";
import { isOwn } from "./origin.ts";
import type { FoundMarks, Snapshot } from "../host/platform.ts";
import { takeSnapshot } from "../host/processes.ts";
import { lostCommand } from "../run/run_command.ts";
import { parseOrigin, readStatus, spooledRuns, type StartedRun } from "../spool/spool.ts";
import { untilPossible } from "../host/until_possible.ts";

/** Milliseconds for which the marks of a command are looked for whose shell starts no program at the moment. */
const patience = 1000;
const pause = 50;

/** A queue, as processes tell it that were started for it. */
type Queue = Pick<Store, "identities" | "shared" | "spool">;

/**
 * The run of a queue with this key (`SEQ.RUN`), where its command runs; undefined where none does. A command that never shows
 * whose it is, because its shell starts no programs, is ended: nobody could look after it.
 */
export async function findMarkedRun(key: string, queue: Queue): Promise<StartedRun | undefined> {
  for (const until = performance.now() + patience;; await delay(pause)) {
    const snapshot = await untilPossible(() => takeSnapshot({ claim: "", runner: "" }));
    const run = runWith(key, queue, snapshot);
    if (run) return run;
    const unknown = unknownRunners(queue, snapshot);
    if (unknown.length === 0) return undefined;
    if (performance.now() < until) continue;
    await Promise.all(unknown.map((runner) => lostCommand(`${queue.spool}/${key}`, runner)));
    return undefined;
  }
}

/** The run of a process that carries its claim. Its runner may be gone: then nothing is at its place in the process table. */
export function runWith(key: string, queue: Queue, snapshot: Snapshot): StartedRun | undefined {
  for (const { claims, origins } of snapshot.marks.values()) {
    const claim = claims.find((claim) => claim.startsWith(`${key}.`));
    if (claim === undefined) continue;
    const runner = claim.slice(key.length + 1);
    const run = { ...placeOf(runner, snapshot), boot: snapshot.boot, claim, runner, origin: origin(origins) };
    if (run.origin && isOwn(run.origin, queue)) return run;
  }
  return undefined;
}

const origin = (origins: readonly string[]) => origins.length === 1 ? parseOrigin(origins[0]) : undefined;

/** The process of a runner, which leads its session and has its mark but no claim. */
function placeOf(runner: string, { marks, processes }: Snapshot): { pid: number; start: string } {
  for (const [pid, found] of marks) {
    const entry = processes.get(pid);
    if (entry && entry.group === pid && isRunner(found) && found.runners.includes(runner)) {
      return { pid, start: entry.start };
    }
  }
  return { pid: 0, start: "gone" };
}

const isRunner = ({ claims, runners }: FoundMarks) => claims.length === 0 && runners.length === 1;

/** Runners of the database without their worker and without any file, whose commands show no claim. */
function unknownRunners(queue: Queue, snapshot: Snapshot): StartedRun[] {
  const { marks, processes, boot } = snapshot;
  const claimed = [...marks.values()].flatMap(({ claims }) => claims);
  const filed = new Set(spooledRuns(queue.spool).map(({ files }) => readStatus(files)?.started?.runner));
  return [...marks].flatMap(([pid, found]) => {
    const entry = processes.get(pid);
    const from = origin(found.origins);
    if (!entry || entry.group !== pid || entry.zombie || !isRunner(found) || !from) return [];
    const [runner] = found.runners;
    const run = { pid, start: entry.start, boot, claim: "", runner, origin: from };
    const isKnown = filed.has(runner) || claimed.some((claim) => claim.endsWith(`.${runner}`));
    return isKnown || entry.parent === from.worker || !isOwn(from, queue) ? [] : [run];
  });
}
