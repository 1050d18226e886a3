/** How wide text is on a terminal, in cells, and cutting and breaking it to a width, never through a character. */

/** The cells that a text takes. It has neither control characters nor line breaks. */
export type WidthOf = (text: string) => number;

// With the two marks that tables themselves put into a text.
const plain = /^[ -~…↵]*$/;

const isPlain = (text: string): boolean => plain.test(text);

/** The width of text that is plain ASCII. */
export const plainWidth: WidthOf = (text) => text.length;

/** A function for the widths of these texts. What knows all other characters is loaded where one of them has such. */
export async function widthFor(texts: Iterable<string>): Promise<WidthOf> {
  for (const text of texts) if (!isPlain(text)) return await anyWidth();
  return plainWidth;
}

/** A function for the width of any text. */
async function anyWidth(): Promise<WidthOf> {
  const { default: stringWidth } = await import("fast-string-width");
  return (text) => isPlain(text) ? text.length : stringWidth(text);
}

let segmenter: Intl.Segmenter | undefined;

/** The characters of a text as people see them: an accent goes with its letter, an emoji is one whatever it is made of. */
function* characters(text: string): Generator<string> {
  if (isPlain(text)) return yield* text;
  segmenter ??= new Intl.Segmenter();
  for (const { segment } of segmenter.segment(text)) yield segment;
}

/** The text where it is no wider than that, else its beginning and `…`, or `…` and its end. */
export function cutToWidth(
  text: string,
  width: number,
  widthOf: WidthOf,
  shows: "beginning" | "end" = "beginning",
): string {
  // No text is wider than twice its length: most need not be measured.
  if (text.length * 2 <= width || widthOf(text) <= width) return text;
  if (width < 1) return "";
  const all = shows === "end" ? [...characters(text)].reverse() : characters(text);
  const kept: string[] = [];
  let room = width - 1;
  for (const character of all) {
    room -= widthOf(character);
    if (room < 0) break;
    kept.push(character);
  }
  return shows === "end" ? "…" + kept.reverse().join("") : kept.join("") + "…";
}

/** The text with spaces up to a width, at its end or before it. */
export function padToWidth(
  text: string,
  width: number,
  widthOf: WidthOf,
  alignment?: "right",
): string {
  const spaces = " ".repeat(Math.max(0, width - widthOf(text)));
  return alignment === "right" ? spaces + text : text + spaces;
}

/** The text in lines that are no wider than that: broken after a space where one is in the last third, else anywhere. */
export function breakToWidth(text: string, width: number, widthOf: WidthOf): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line: string[] = [];
  let used = 0;
  for (const character of characters(text)) {
    const more = widthOf(character);
    if (used + more > width && line.length > 0) {
      const space = line.lastIndexOf(" ");
      const rest = space >= line.length * 2 / 3 ? line.splice(space + 1) : [];
      lines.push(line.join(""));
      line = rest;
      used = rest.reduce((sum, part) => sum + widthOf(part), 0);
    }
    line.push(character);
    used += more;
  }
  return [...lines, line.join("")];
}
