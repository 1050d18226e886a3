import { allowances } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import { type JobState, jobStates } from "../../job/job.ts";
import {
  abandonMove,
  checkSource,
  type Moved,
  type MoveOptions,
  moveQueue,
  sum,
} from "../../store/transfer.ts";
import { openStore } from "../../store/open.ts";
import type { OpenOptions, RegisteredProcess, Store } from "../../store/store.ts";
import { findGone, hostName, takeSnapshot } from "../../worker/host/processes.ts";
import type { Context } from "../context.ts";
import { counted, json } from "../output/output.ts";
import { print, printLines, printMessage } from "../output/standard_streams.ts";

/** Moves a whole queue from one database to another, or finishes that. */
export async function migrate(
  this: Context,
  flags: { from?: string; to?: string; json?: boolean; abandon?: boolean },
): Promise<void> {
  const { from, to } = ends(flags, this.db);
  const open = (url: string, missing: OpenOptions["missing"]) =>
    openStore(url, {
      missing,
      durable: true,
      ...allowances(this.allowed),
      notify: printMessage,
    });
  await using source = await open(from, "empty");
  if (!source.exists) {
    throw new QueuectlError("not_found", `There is no queue in ${source.location} that could be moved`);
  }
  if (to === undefined) {
    const lost = await abandonMove(source);
    const text = `The queue is used on in ${source.location}; its move to ${lost} is given up.`;
    const object = { from: source.location, to: lost, abandoned: true };
    return await (flags.json ? print(json(object) + "\n") : printLines(text));
  }
  const progress = createProgress();
  const options: MoveOptions = { alive: findAlive, progress: progress.show };
  // Before the target is opened: what is refused leaves no empty one behind.
  await checkSource(source, options);
  await using target = await open(to, "create");
  const moved = await moveQueue(source, target, options).finally(progress.clear);
  await (flags.json ? print(asJson(moved, source, target)) : printLines(asText(moved, source, target)));
}

/** The two databases; the one that `--db` names may be either. There is no target where a move is to be abandoned. */
function ends(
  flags: { from?: string; to?: string; abandon?: boolean },
  db: string | undefined,
): { from: string; to: string | undefined } {
  const { from, to, abandon } = flags;
  const expected = "give a file or a postgres:// URL";
  if (from !== undefined && (to !== undefined || abandon) && db !== undefined) {
    throw new QueuectlError("usage", "Give --from and --to, or --db in place of one of them, not all three");
  }
  if (abandon && to !== undefined) {
    throw new QueuectlError("usage", "Flag --abandon goes with --from alone: nothing is moved");
  }
  const chosen = from ?? db;
  if (chosen === undefined) throw new QueuectlError("usage", `Flag --from is missing; ${expected}`);
  if (abandon) return { from: chosen, to: undefined };
  const target = to ?? (from === undefined ? undefined : db);
  if (target === undefined) throw new QueuectlError("usage", `Flag --to is missing; ${expected}`);
  for (const [flag, value] of [["from", chosen], ["to", target]]) {
    if (value === "") throw new QueuectlError("usage", `Flag --${flag} needs a value: ${expected}`);
  }
  return { from: chosen, to: target };
}

/** Processes that may still be at work: those of another host count until their lease is over. */
async function findAlive(
  processes: readonly RegisteredProcess[],
  { shared }: Store,
): Promise<RegisteredProcess[]> {
  if (processes.length === 0) return [];
  const snapshot = await takeSnapshot();
  const gone = findGone(processes, snapshot, shared);
  const host = hostName(snapshot);
  return processes.filter(({ id, identity, expired }) =>
    !gone.includes(id) && (identity.host === host && identity.boot === snapshot.boot || !expired)
  );
}

/** Milliseconds between two changes of the line that shows how far it is. */
const progressInterval = 200;

/** A line that is written over and over, only on a terminal. */
function createProgress(): { show: NonNullable<MoveOptions["progress"]>; clear(): void } {
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  let isShown = false;
  let next = 0;
  return {
    show(jobs, of, attempts) {
      if (!Deno.stderr.isTerminal() || performance.now() < next) return;
      next = performance.now() + progressInterval;
      isShown = true;
      write(`\r${jobs} of ${counted(of, "job")}, ${counted(attempts, "run")}`);
    },
    clear() {
      if (isShown) write("\r\x1b[K");
      isShown = false;
    },
  };
}

function asText({ counts, resumed }: Moved, from: Store, to: Store): string {
  const states = jobStates.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  const jobs = counted(sum(counts), "job") + (states.length > 0 ? ` (${states.join(", ")})` : "");
  return resumed
    ? `Finished an earlier move: ${jobs} had come from ${from.location} to ${to.location}`
    : `Moved ${jobs} from ${from.location} to ${to.location}`;
}

function asJson({ counts, resumed }: Moved, from: Store, to: Store): string {
  const states = Object.fromEntries(jobStates.map((state): [JobState, number] => [state, counts[state]]));
  return json({ from: from.location, to: to.location, jobs: sum(counts), states, resumed }) + "\n";
}
