/** One output of a run as text, while it grows and when the run has ended. Pure but for what it keeps of the past. */

import { endsOfText } from "../../worker/spool/output.ts";
import { utf8Decoder } from "../../worker/spool/output_text.ts";

/** Characters by which the place is found again where the text went on in the store. */
const memory = 256;

/** What stands for bytes that nobody has any more. */
const mark = (bytes: number) => `\n[... ${bytes} bytes left out ...]\n`;

/** Follows one output. */
export interface PrintedText {
  /** Bytes that were taken. */
  readonly position: number;
  /** Bytes for which a mark was told. */
  readonly leftOut: number;
  /** The text of the next bytes, which begin at a position; a mark comes before them where some are missing. */
  take(position: number, content: Uint8Array): string;
  /** What follows in the text that was stored of the whole output when the run had ended; null where all was taken. */
  rest(stored: string | null): string;
}

/** An output of which nothing was taken yet. */
export function createPrintedText(kind = utf8Decoder): PrintedText {
  let decoder = kind.stream();
  let position = 0;
  let length = 0;
  let recent = "";
  let leftOut = 0;

  function told(text: string): string {
    length += text.length;
    recent = (recent + text).slice(-memory);
    return text;
  }

  function take(at: number, content: Uint8Array): string {
    if (at + content.length <= position) return "";
    let before = "";
    if (at > position) {
      leftOut += at - position;
      before = decoder.end() + mark(at - position);
    } else content = content.subarray(position - at);
    position = Math.max(at, position) + content.length;
    return told(before + decoder.push(content));
  }

  return {
    get position() {
      return position;
    },
    get leftOut() {
      return leftOut;
    },
    take,
    rest(stored) {
      if (stored === null) return told(decoder.end());
      // As long as all of it was seen the stored text begins with just that, also where its middle was left out.
      if (leftOut === 0 && isLike(stored.slice(length - recent.length, length), recent)) {
        const { head, omitted, tail } = endsOfText(stored);
        // In a text that was cut the mark is in the middle; elsewhere the command has printed it.
        const isMiddle = Math.abs(head.length - tail.length) * 10 < head.length + tail.length;
        if (isMiddle && stored.includes(mark(omitted), length)) leftOut = omitted;
        return told(stored.slice(length));
      }
      let last = "";
      if (kind !== utf8Decoder) {
        last = told(decoder.end());
        // How much longer than what was printed the text of the left out middle would be is not known.
        const at = recent.length === memory ? stored.lastIndexOf(recent) : -1;
        if (at >= 0) return last + told(stored.slice(at + recent.length));
        position += decoder.grown;
        decoder = utf8Decoder.stream();
      }
      const { head, omitted, tail } = endsOfText(stored);
      const texts = [last, take(0, head), take(head.length + omitted, tail)];
      return texts.join("") + told(decoder.end());
    },
  };
}

/** Whether a text is the same as what was told; where that is damaged, the host that has stored it knew a code page for it. */
const isLike = (text: string, told: string): boolean =>
  text === told ||
  text.length === told.length && told.includes("\uFFFD") &&
    told.split("").every((unit, index) => unit === text[index] || unit === "\uFFFD");

/** The last lines of a text; one without a line end at its end counts too. */
export function lastLines(text: string, count: number): string {
  if (count === 0) return "";
  let start = text.endsWith("\n") ? text.length - 1 : text.length;
  for (let found = 0; found < count; found++) {
    start = start === 0 ? -1 : text.lastIndexOf("\n", start - 1);
    if (start < 0) return text;
  }
  return text.slice(start + 1);
}
