/** What jobs print as JSON: the objects of `logs --json`, and a sink that writes one for each line. */

import type { OutputStream } from "../../store/store.ts";
import { json } from "../output/output.ts";
import { printAll, printMessage } from "../output/standard_streams.ts";
import type { Sink } from "./follow_job.ts";
import type { LineSink } from "./job_lines.ts";
import { isChosen, type StreamChoice } from "./sinks.ts";

const streamNames = { out: "stdout", err: "stderr" } as const;

/** Characters of a line without an end after which it is printed all the same. */
const longestLine = 64 * 1024;

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
  const rests = { out: "", err: "" };

  async function print(stream: OutputStream, text: string): Promise<void> {
    if (text === "" || !isChosen(stream, choice)) return;
    const objects = text.split(/(?<=\n)/).map((line) => printedObject(job, of, stream, line));
    await printAll(objects.map((object) => `${json(object)}\n`));
  }

  return {
    async write(stream, text) {
      const whole = rests[stream] + text;
      const end = whole.length - whole.lastIndexOf("\n") > longestLine
        ? whole.length
        : whole.lastIndexOf("\n") + 1;
      rests[stream] = whole.slice(end);
      await print(stream, whole.slice(0, end));
    },
    // An object is a whole line, so that one who reads lines gets no half ones.
    printOpen: () => Promise.resolve(),
    async flush() {
      for (const stream of ["out", "err"] as const) {
        const rest = rests[stream];
        rests[stream] = "";
        await print(stream, rest);
      }
    },
    begins: (run, attempt) => void (of = { run, attempt }),
    say: printMessage,
  };
}
