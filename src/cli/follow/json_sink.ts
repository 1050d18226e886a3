/** What jobs print as JSON: the objects of `logs --json`, and a sink that writes one for each line. */

import type { OutputStream } from "../../store/store.ts";
import { json } from "../output.ts";
import { printAll, printMessage } from "../standard_streams.ts";
import type { Sink } from "./follow_job.ts";
import { isChosen, type LineSink, type StreamChoice, wholeLines } from "./sinks.ts";

const streamNames = { out: "stdout", err: "stderr" } as const;

/** A text that an attempt of a job has printed; `run` counts all that the job ever had. */
export function printedObject(
  job: string,
  { run, attempt }: { run: number; attempt: number },
  stream: OutputStream,
  text: string,
) {
  return { job, run, attempt, stream: streamNames[stream], text };
}

/** Prints an object a line for each line of a job, with its line end; all texts together are what it has printed. */
export function jsonSink(job: string, choice: StreamChoice): Sink & LineSink {
  let of = { run: 0, attempt: 0 };
  const lines = wholeLines(async (stream, text) => {
    if (!isChosen(stream, choice)) return;
    const objects = text.split(/(?<=\n)/).map((line) => printedObject(job, of, stream, line));
    await printAll(objects.map((object) => `${json(object)}\n`));
  });
  return {
    ...lines,
    begins: (run, attempt) => void (of = { run, attempt }),
    say: printMessage,
  };
}
