/** One output of a run as text, while it grows and when the run has ended. Pure but for what it keeps of the past. */

import { endsOfText } from "../../worker/output.ts";

/** Characters by which the place is found again where the text went on in the store. */
const memory = 256;

/** What stands for bytes that nobody has any more. */
const mark = (bytes: number) => `\n[... ${bytes} bytes left out ...]\n`;

/** Follows one output. */
export interface PrintedText {
  /** Bytes that were taken. */
  readonly position: number;
  /** The text of the next bytes, which begin at a position; a mark comes before them where some are missing. */
  take(position: number, content: Uint8Array): string;
  /** What follows in the text that was stored of the whole output when the run had ended. */
  rest(stored: string): string;
}

/** An output of which nothing was taken yet. */
export function createPrintedText(): PrintedText {
  // A byte order mark is what the command printed, like everything else.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const decode = (bytes?: Uint8Array) =>
    decoder.decode(bytes, { stream: bytes !== undefined }).replaceAll("\0", "\uFFFD");
  let position = 0;
  let length = 0;
  let recent = "";
  let isCut = false;

  function told(text: string): string {
    length += text.length;
    recent = (recent + text).slice(-memory);
    return text;
  }

  function take(at: number, content: Uint8Array): string {
    if (at + content.length <= position) return "";
    let before = "";
    if (at > position) {
      isCut = true;
      before = decode() + mark(at - position);
    } else content = content.subarray(position - at);
    position = Math.max(at, position) + content.length;
    return told(before + decode(content));
  }

  return {
    get position() {
      return position;
    },
    take,
    rest(stored) {
      // As long as all of it was seen the stored text begins with just that, also where its middle was left out.
      if (!isCut && stored.slice(length - recent.length, length) === recent) {
        return told(stored.slice(length));
      }
      const { head, omitted, tail } = endsOfText(stored);
      const texts = [take(0, head), take(head.length + omitted, tail)];
      return texts.join("") + told(decode());
    },
  };
}

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
