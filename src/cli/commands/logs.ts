import { configFrom } from "../../config.ts";
import { QueuectlError } from "../../errors.ts";
import { printableLines } from "../../printable.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { print, printError, printMessage } from "../standard_streams.ts";

/** Prints what a job has printed: what there is so far where it runs, else what its last run has left. */
export async function logs(
  this: Context,
  flags: { stdout?: boolean; stderr?: boolean },
  id: string,
): Promise<void> {
  if (flags.stdout && flags.stderr) {
    throw new QueuectlError(
      "usage",
      "Flags --stdout and --stderr cannot be given together: without them both are printed",
    );
  }
  await using store = await openQueue(this, "empty");
  const printed = await printedBy(store, id);
  if (!printed) return printMessage(`Job ${id} has not run yet.`);
  const { output, errorOutput } = printed;
  const isTerminal = Deno.stdout.isTerminal();
  if (!flags.stderr) await print(isTerminal ? printableLines(output) : output);
  if (flags.stderr) await print(isTerminal ? printableLines(errorOutput) : errorOutput);
  else if (!flags.stdout) printError(Deno.stderr.isTerminal() ? printableLines(errorOutput) : errorOutput);
}

/** Null for a job that has not run yet. */
async function printedBy(store: Store, id: string): Promise<{ output: string; errorOutput: string } | null> {
  const { endsOfPieces, boundedText } = await import("../../worker/output.ts");
  const { readSpooled } = await import("../../worker/spool_output.ts");
  const { runFiles } = await import("../../worker/spool.ts");
  const { maxOutput } = configFrom(await store.settings());
  for (;;) {
    const { id: whole, running } = await store.findRun(id);
    if (!running) return await store.lastOutput(whole);
    const { seq, run } = running;
    // It runs here, or the store has what its worker has sent.
    const spooled = readSpooled(runFiles(store.spool, seq, run), maxOutput);
    if (spooled) return spooled;
    const pieces = await store.keptOutput(seq, run);
    const textOf = (stream: "out" | "err") =>
      boundedText(endsOfPieces(pieces.filter((piece) => piece.stream === stream)), maxOutput);
    // Where it has ended meanwhile there is nothing left of it, and its result is in the store.
    if (pieces.length > 0 || await store.isRunning(seq, run)) {
      return { output: textOf("out"), errorOutput: textOf("err") };
    }
  }
}
