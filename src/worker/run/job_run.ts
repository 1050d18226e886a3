/** One run of a job: watches its command, enforces the timeout, and says what is to be recorded. */

import type { Config } from "../../job/settings.ts";
import { failpoint } from "../../base/failpoint.ts";
import { nextStep } from "../../job/backoff.ts";
import type { Claim, Finished, Outcome } from "../../job/job.ts";
import { errorText, outcomeOfStatus } from "../../job/outcome.ts";
import { countDown, delay } from "../../base/delay.ts";
import { type CommandEnd, killDelay, type RunningCommand } from "./run_command.ts";
import { hostText } from "../spool/host_text.ts";
import { interpreterProblem } from "./interpreter.ts";
import { isBeingRead } from "../spool/output_readers.ts";
import {
  createStatus,
  type Ending,
  hasSpool,
  hasStatus,
  makeSpoolAgain,
  noteEnding,
  readStatus,
  startedLine,
  takenBy,
} from "../spool/spool.ts";
import { cutOutput, readOutputs, streams } from "../spool/spool_output.ts";
import { processesWords } from "./tree_ender.ts";
import { untilPossible } from "../host/until_possible.ts";

/** Milliseconds between two looks at whether a command that is to be ended has begun; it is ended all the same after the last. */
const [beginPause, longestWait] = [10, 30_000];
/** Milliseconds after which a status file that was never seen counts as removed. */
const longestBegin = 5000;

/** How a run ended: what to record, or why there is nothing to record. */
export type RunEnd =
  /**
   * With a `refusal` the system did not start it: handed back, and no fault of the job. `cut` is false when its output
   * is known never to have been cut. With `keepFiles` they are another run's.
   */
  | { kind: "finished"; finished: Finished; refusal?: string; cut: boolean; keepFiles: boolean }
  /** It belongs to somebody else by now. */
  | { kind: "let_go" };

/** A run whose end is not recorded yet. */
export interface EndedRun {
  claim: Claim;
  files: string;
  result: Finished;
  /** The files stay in the spool after the end was recorded. */
  keepFiles?: boolean;
  /** False when the output is known never to have been cut. */
  cut?: boolean;
  /** Why the system has refused to start the command. */
  refusal?: string;
  /** When it ended, by the store's clock, should that only be recorded later. */
  endedAt?: number;
}

export interface JobRun {
  readonly claim: Claim;
  /** Path of the run's files in the spool. */
  readonly files: string;
  readonly ended: Promise<RunEnd>;
  /** Ends the command with its whole tree; its job goes back to the queue, the attempt not counted. Hastens a cancel. */
  handBack(): void;
  /** Ends the command with its whole tree, for good: KILL comes `grace` milliseconds after TERM. */
  cancel(grace: number): void;
  /** Sends a signal to its whole tree, and tells whether any of it got it; throws for one that this system does not have. */
  signal(signal: Deno.Signal): Promise<boolean>;
  /** Stops watching: the command and its files are somebody else's. */
  letGo(): void;
  /**
   * Ends the command, with KILL after `grace` milliseconds, because another host may start it; lets go of one that a
   * worker of this host has taken over. As handed back it is recorded if nobody has taken the job.
   */
  fence(grace: number): void;
  /** Cuts output that has grown too long, and makes the status file again where somebody has removed it; to be called a few times a second. */
  look(): void;
}

/** Watches a command that was started or adopted for a claim; `elapsed` is the milliseconds it has run already. */
export function watchRun(
  claim: Claim,
  files: string,
  command: RunningCommand,
  elapsed: number,
  config: Config,
): JobRun {
  const timeout = claim.timeout ?? config.timeout;
  const letGo = Promise.withResolvers<{ kind: "let_go" }>();
  /** `done` resolves to the pids of what cannot be ended. */
  let ending: { outcome: Outcome; done: Promise<readonly number[]> } | undefined;
  let hasEnded = false;
  let cut = false;
  /** Milliseconds from TERM to KILL. */
  let grace = killDelay;
  let isBeingEnded = false;
  /** The status file has been there: the runner does not make it any more. */
  let isBegun = false;
  const begunBy = performance.now() + longestBegin;

  function endWith(outcome: Outcome & { kind: Ending }, itsGrace = killDelay): void {
    // The store repeats a cancel at every turn; the first one counts.
    if (hasEnded || ending) return;
    grace = itsGrace;
    ending = { outcome, done: endCommand(outcome.kind) };
  }

  function handBack(): void {
    endWith({ kind: "handed_back" });
    // A cancel may give more time than there is when the worker ends.
    grace = Math.min(grace, killDelay);
    if (isBeingEnded && !hasEnded) void command.end(grace);
  }

  async function endCommand(reason: Ending): Promise<readonly number[]> {
    // Before it has begun there is no file for the note, and without one the command would seem to have ended by itself.
    const until = performance.now() + longestWait;
    while (!hasEnded && !isBegun && performance.now() < until) {
      if (await untilPossible(() => readStatus(files) !== undefined || !hasSpool(files))) break;
      await delay(beginPause);
    }
    if (await untilPossible(() => noteEnding(files, reason))) {
      isBeingEnded = true;
      return await command.end(grace);
    }
    // It has just ended by itself.
    ending = undefined;
    return [];
  }

  async function fence(grace: number): Promise<readonly number[]> {
    try {
      // Looked at before and after: whoever takes over makes its mark first, and then looks why the command is ended.
      if (isTaken() || !noteEnding(files, "handed_back") || isTaken()) {
        // One that has just ended by itself is let go of only where it was taken.
        if (isTaken()) letGo.resolve({ kind: "let_go" });
        else ending = undefined;
        return [];
      }
    } catch {
      // No file or disk space to spare: the command is ended all the same.
    }
    return await command.end(grace);
  }

  /** Whether a worker of this host has taken the run over. */
  const isTaken = () => takenBy(files) > claim.claim;

  const timer = timeout > 0
    ? countDown(timeout - elapsed, () => endWith({ kind: "timed_out", timeout }))
    : undefined;

  async function signal(signal: Deno.Signal): Promise<boolean> {
    const isSent = await command.signal(signal);
    // A stopped command cannot use its time.
    if (isSent && signal === "SIGSTOP") timer?.pause();
    if (isSent && signal === "SIGCONT") timer?.resume();
    return isSent;
  }

  async function watch(): Promise<RunEnd> {
    const end = await Promise.race([command.ended, letGo.promise]);
    hasEnded = true;
    failpoint("ended");
    timer?.stop();
    if (end.kind === "let_go") return end;
    const alive = await ending?.done ?? (end.kind === "lost" ? end.alive : undefined);
    const outcome = ending?.outcome ?? outcomeOfEnd(end, claim);
    // What an earlier worker has cut of an adopted run is not known here.
    if (end.kind !== "exited" || end.silent === undefined) cut = true;
    const outputs = end.kind === "exited" && end.silent && !cut
      ? { output: "", errorOutput: "" }
      : await untilPossible(() => hostText.read((decoder) => readOutputs(files, config.maxOutput, decoder)));
    const finished = finishedRun(claim, outcome, outputs, config, alive);
    const refusal = end.kind === "not_started" ? end.message : undefined;
    return { kind: "finished", finished, refusal, cut, keepFiles: end.kind === "refused" };
  }

  return {
    claim,
    files,
    ended: watch(),
    handBack,
    cancel: (grace) => endWith({ kind: "cancelled" }, grace),
    signal,
    letGo: () => letGo.resolve({ kind: "let_go" }),
    fence(grace) {
      if (hasEnded) return;
      if (!ending) {
        ending = { outcome: { kind: "handed_back" }, done: Promise.resolve().then(() => fence(grace)) };
      } // It is being ended already; this hastens it.
      else void command.end(grace);
    },
    look() {
      if (hasStatus(files)) isBegun = true;
      else if ((isBegun || performance.now() > begunBy) && !hasEnded && command.startedRun) {
        // A runner that has not begun after so long finds it, and does not.
        makeSpoolAgain(files);
        // Without them, too, it would seem not to have been started.
        for (const stream of streams) Deno.writeTextFileSync(`${files}.${stream}`, "", { append: true });
        createStatus(files, startedLine(command.startedRun));
      }
      if (cutOutput(files, config.maxOutput, () => isBeingRead(files, claim.id))) cut = true;
    },
  };
}

/** What becomes of a run whose command has ended, by itself or as an earlier owner has asked it to. */
export function outcomeOfEnd(end: CommandEnd, claim: Claim): Outcome {
  if (end.kind === "exited" || end.kind === "lost") {
    // A command that was ended has not ended by itself, whatever its exit status is, and whether it has one.
    if (end.ending === "timed_out") return { kind: end.ending, timeout: claim.elapsed };
    if (end.ending) return { kind: end.ending };
    return end.kind === "lost" ? { kind: end.kind, message: end.message } : outcomeOfStatus(end.status);
  }
  if (end.kind === "spawn_failed") return end;
  // One that somebody else has given up has a newer claim, so this is not recorded; where the claim is still ours, the
  // files are those of an older database, and the next run has another number.
  return { kind: "handed_back" };
}

/** What is recorded for a run with this outcome; `alive` are the pids of what is left of its command and cannot be ended. */
export function finishedRun(
  claim: Claim,
  outcome: Outcome,
  outputs: { output: string; errorOutput: string },
  config: Config,
  alive: readonly number[] = [],
): Finished {
  const { seq, queue, run, attempt, startedAt } = claim;
  const ended = { seq, queue, claim: claim.claim, run, attempt, startedAt, ...outputs };
  if (alive.length > 0) return { ...ended, ...leftAlive(outcome, alive) };
  const rules = claim.retryRules ?? {};
  const text = errorText(outcome, outputs.errorOutput);
  const problem = outcome.kind === "exited" && interpreterProblem(claim, outcome.code, outputs.errorOutput);
  const next = nextStep(outcome, problem ? `${text}\n${problem}` : text, {
    attempts: attempt,
    maxRetries: claim.maxRetries,
    backoff: rules.backoff ?? config.backoff,
    baseBackoff: claim.baseBackoff ?? config.baseBackoff,
    maxBackoff: rules.maxBackoff ?? config.maxBackoff,
    jitter: rules.jitter ?? config.jitter,
    retryOn: rules.retryOn,
    noRetryOn: rules.noRetryOn,
    postponed: claim.postponed,
    maxPostponed: config.maxPostponed,
  }, Math.random());
  return { ...ended, outcome, next };
}

/** A job is not started again while it is still there: only a person can tell when it is gone. */
function leftAlive(outcome: Outcome, alive: readonly number[]): Pick<Finished, "outcome" | "next"> {
  const reason = processesWords(alive);
  if (outcome.kind === "cancelled") return { outcome, next: { state: "cancelled", error: reason } };
  if (outcome.kind === "handed_back") {
    return { outcome: { kind: "lost", message: reason }, next: { state: "dead", error: reason, reason } };
  }
  return { outcome, next: { state: "dead", error: `${errorText(outcome, "")}; ${reason}`, reason } };
}
