/**
 * What both stores make of the search index: signatures of the texts of jobs, by parts of 1024 keys. What is looked for is
 * read only where it can be. A part is signed when no job can be added to it any more, so that adding jobs costs nothing;
 * those behind the last one that is signed are always read. Pure.
 */

import { type Row, text } from "./rows.ts";
import {
  addText,
  createSignatures,
  folded,
  isUuid,
  mayBeInUuid,
  type Sought,
  soughtIn,
  tellsOf,
  textPieces,
  uuidPieces,
} from "./text_signature.ts";

/** What is looked for. */
export interface SignedJob {
  id: string;
  command: string;
}

export const signedJob = (row: Row): SignedJob => ({ id: text(row, "id"), command: text(row, "command") });

/** How many signatures a part has for its texts. */
export const textBlocks = 4;

/** Of the commands of a part, with the ids that are no UUIDs; and of those that are, null where there are none. */
export interface Signatures {
  texts: Uint8Array[];
  ids: Uint8Array | null;
}

/** Signs the jobs of a part. */
export function sign(jobs: Iterable<SignedJob>): Signatures {
  const texts = createSignatures(textBlocks);
  let ids: Uint8Array[] | null = null;
  for (const { id, command } of jobs) {
    addText(texts, command, textPieces);
    if (isUuid(id)) addText(ids ??= createSignatures(1), id, uuidPieces);
    else addText(texts, id, textPieces);
  }
  return { texts: texts.map(folded), ids: ids && folded(ids[0]) };
}

/** What the signatures of a part have to have, one kind or the other, for a text to be in one of its jobs. */
export interface SoughtText {
  texts: Sought[];
  /** Null where it is in no UUID; empty where it is too short to be told. */
  ids: number[] | null;
}

export const soughtText = (text: string): SoughtText => ({
  texts: soughtIn(text, textPieces, textBlocks),
  ids: mayBeInUuid(text) ? soughtIn(text, uuidPieces, 1).flatMap(({ bits }) => bits) : null,
});

/** Whether the signatures of its part tell of a job. */
export const isSigned = ({ id, command }: SignedJob, { texts, ids }: Signatures): boolean =>
  tellsOf(texts, command, textPieces) &&
  (isUuid(id) ? ids !== null && tellsOf([ids], id, uuidPieces) : tellsOf(texts, id, textPieces));

/** What it means for jobs that they do not. */
export const unfindable = "jobs are not found by their texts";
