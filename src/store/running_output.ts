/** What running commands have printed, as a shared store keeps it: types only. */

/** Which of a command's two outputs. */
export type OutputStream = "out" | "err";

/** A piece of what a running command has printed. */
export interface OutputPart {
  stream: OutputStream;
  /** Bytes that were printed before it. */
  position: number;
  content: Uint8Array;
}

/** A piece that is to be kept while the run goes on, in place of one that was kept for the same position. */
export interface NewOutputPart extends OutputPart {
  seq: number;
  run: number;
  /** The claim by which the run is watched; what is printed under an older one is not kept. */
  claim: number;
  /** Pieces of this stream that begin between these positions are dropped. */
  gap: { from: number; to: number } | null;
}
