/** What a run that goes on prints, as it comes: from the spool where it runs here, else as the store has it. */

import { statIfThere } from "../../base/files.ts";
import type { Attempt } from "../../job/job.ts";
import type { OutputStream, Store } from "../../store/store.ts";
import { hostText } from "../../worker/spool/host_text.ts";
import type { OutputReader } from "../../worker/spool/output_readers.ts";
import { runFiles } from "../../worker/spool/spool.ts";
import { printedLength, readPrinted, streams } from "../../worker/spool/spool_output.ts";
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
  /**
   * What has not been read yet of the run that has ended: from its files, where they were left to readers, else what was
   * stored.
   */
  rest(ended: Pick<Attempt, "output" | "errorOutput">): AsyncGenerator<Piece>;
  /** Bytes of each output for which there was nothing but a mark. */
  leftOut(): Record<OutputStream, number>;
}

/** Reads what a run prints from its beginning; `reader` is who reads. `read` and `host` are for tests. */
export function createRunReader(
  store: Pick<Store, "spool" | "keptOutput">,
  seq: number,
  run: number,
  reader?: Pick<OutputReader, "hasRead">,
  read = readPrinted,
  host = hostText,
): RunReader {
  const files = runFiles(store.spool, seq, run);
  const texts = { out: createPrintedText(host.decoder), err: createPrintedText(host.decoder) };
  let isHere = false;

  async function textOf(stream: OutputStream, position: number, content: Uint8Array): Promise<Piece> {
    await host.prepare(content);
    return { stream, text: texts[stream].take(position, content) };
  }

  async function readHere(): Promise<{ pieces: Piece[]; more: boolean; gone: boolean }> {
    const pieces: Piece[] = [];
    let more = false;
    try {
      for (const stream of streams) {
        if (printedLength(files, stream) <= texts[stream].position) continue;
        const found = read(files, stream, texts[stream].position, pieceLength);
        // In the moment in which it is emptied there is nothing.
        if (!found || found.content.length === 0) continue;
        pieces.push(await textOf(stream, found.position, found.content));
        more = true;
      }
    } catch (error) {
      // Its end was recorded in this moment; what was read before counts as read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      isHere = false;
      return { pieces, more: false, gone: true };
    }
    return { pieces, more, gone: false };
  }

  async function ask(): Promise<Piece[]> {
    const after = { out: texts.out.position, err: texts.err.position };
    const pieces: Piece[] = [];
    for (const { stream, position, content } of await store.keptOutput(seq, run, after)) {
      pieces.push(await textOf(stream, position, content));
    }
    return pieces;
  }

  async function look(asking: boolean): Promise<{ pieces: Piece[]; more: boolean; gone: boolean }> {
    if (statIfThere(`${files}.out`)) {
      isHere = true;
      return await readHere();
    }
    const gone = isHere;
    isHere = false;
    return { pieces: asking && !gone ? await ask() : [], more: false, gone };
  }

  return {
    seq,
    run,
    look,
    async *rest({ output, errorOutput }) {
      for (let more = true; more;) {
        const found = await look(false);
        yield* found.pieces;
        more = found.more;
      }
      // Removed one after the other: what was read while both were there is all of it, unless they were shortened.
      const isAll = streams.every((stream) => printedLength(files, stream) === texts[stream].position) &&
        streams.every((stream) => statIfThere(`${files}.${stream}`));
      yield { stream: "out", text: texts.out.rest(isAll ? null : output) };
      yield { stream: "err", text: texts.err.rest(isAll ? null : errorOutput) };
      if (isAll) reader?.hasRead(files);
    },
    leftOut: () => ({ out: texts.out.leftOut, err: texts.err.leftOut }),
  };
}
