/** What a run that goes on prints, as it comes: from the spool where it runs here, else as the store has it. */

import { statIfThere } from "../../files.ts";
import type { Attempt } from "../../job/job.ts";
import type { OutputStream, Store } from "../../store/store.ts";
import { runFiles } from "../../worker/spool.ts";
import { readPrinted, streams } from "../../worker/spool_output.ts";
import { createPrintedText } from "./printed_text.ts";

/** Bytes that are read at once. */
const pieceLength = 1024 ** 2;

/** A piece of text that was printed. */
export interface Piece {
  stream: OutputStream;
  text: string;
}

export interface RunReader {
  readonly seq: number;
  readonly run: number;
  /**
   * What is new. With `asking` the store is asked too where nothing of the run is here. `more`: there is more to read at
   * once; `gone`: its files were here and are not any more, so its end was recorded.
   */
  look(asking: boolean): Promise<{ pieces: Piece[]; more: boolean; gone: boolean }>;
  /** What has not been read yet of the run that has ended. */
  rest(ended: Pick<Attempt, "output" | "errorOutput">): Piece[];
}

/** Reads what a run prints from its beginning. */
export function createRunReader(
  store: Pick<Store, "spool" | "keptOutput">,
  seq: number,
  run: number,
): RunReader {
  const files = runFiles(store.spool, seq, run);
  const texts = { out: createPrintedText(), err: createPrintedText() };
  const sizes: Record<OutputStream, number> = { out: 0, err: 0 };
  let isHere = false;

  function readHere(): { pieces: Piece[]; more: boolean } {
    const pieces: Piece[] = [];
    let more = false;
    for (const stream of streams) {
      const size = statIfThere(`${files}.${stream}`)?.size ?? 0;
      // A file that is emptied has another size too.
      if (size === sizes[stream]) continue;
      const { position, content } = readPrinted(files, stream, texts[stream].position, pieceLength);
      if (content.length === 0) sizes[stream] = size;
      else {
        pieces.push({ stream, text: texts[stream].take(position, content) });
        more = true;
      }
    }
    return { pieces, more };
  }

  async function ask(): Promise<Piece[]> {
    const after = { out: texts.out.position, err: texts.err.position };
    return (await store.keptOutput(seq, run, after)).map(({ stream, position, content }) => ({
      stream,
      text: texts[stream].take(position, content),
    }));
  }

  return {
    seq,
    run,
    async look(asking) {
      try {
        if (statIfThere(`${files}.out`)) {
          isHere = true;
          return { ...readHere(), gone: false };
        }
      } catch (error) {
        // Its end was recorded in this moment.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      const gone = isHere;
      isHere = false;
      return { pieces: asking && !gone ? await ask() : [], more: false, gone };
    },
    rest: ({ output, errorOutput }) => [
      { stream: "out", text: texts.out.rest(output) },
      { stream: "err", text: texts.err.rest(errorOutput) },
    ],
  };
}
