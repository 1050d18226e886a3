/**
 * Text that somebody else has written (ids, commands, errors, names), made harmless for terminals and tables, and the
 * characters that names may not have. Pure functions.
 */

// What a terminal obeys, and what changes the direction or the line of the text that follows.
const dangerous = String.raw`\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069`;

// And what nobody sees: zero widths, soft hyphens, variation selectors, tag characters, fillers
// (https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point), and the marks of annotations.
const invisible = String.raw`\p{Default_Ignorable_Code_Point}\ufff9-\ufffb`;

const unsafe = new RegExp(`[${dangerous}${invisible}]`, "gu");
const unsafeInLines = new RegExp(`[${dangerous}]`, "gu");
const firstUnsafe = new RegExp(`[${dangerous}${invisible}]`, "u");

/** A code unit as JSON and JavaScript escape it. */
const unit = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? unit(code) : `\\u{${code.toString(16)}}`;
}

/**
 * The text on one line, without anything that a terminal would obey or nobody would see: `↵` for a line break, `\x1b` for
 * ESC, `\u200d` for a joiner of emoji, which fall apart into their parts.
 */
export function printable(text: string): string {
  // Most texts are plain.
  if (/^[ -~]*$/.test(text)) return text;
  return text.replace(/\r\n|\r|\n/g, "↵").replaceAll("\t", " ").replace(unsafe, escaped);
}

/**
 * Text of several lines, printed by a command, as a terminal may be given it: as {@link printable}, but for line ends,
 * carriage returns and tabs, and with what only nobody sees: outputs have emoji, and words of languages that need joiners.
 */
export function printableLines(text: string): string {
  return text.replace(
    unsafeInLines,
    (character) => "\n\r\t".includes(character) ? character : printable(character),
  );
}

/** The same JSON, with what {@link printable} would replace escaped, so that it stays valid and equal. */
export function escapeUnsafe(json: string): string {
  return json.replace(
    unsafe,
    (character) => character.split("").map((half) => unit(half.charCodeAt(0))).join(""),
  );
}

/** The first character of a text that nobody would see in it, or that is for terminals, as `U+200D`; undefined for none. */
export function unseenCharacter(text: string): string | undefined {
  if (/^[ -~]*$/.test(text)) return undefined;
  const code = firstUnsafe.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
