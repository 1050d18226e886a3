/** Text from jobs (ids, commands, errors) made harmless for terminals and tables. Pure functions. */

// Control characters, and those that change the direction or the line of the text that follows.
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const unsafe = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const hexadecimal = (character: string, length: number) =>
  character.charCodeAt(0).toString(16).padStart(length, "0");

/** The text on one line, without anything that a terminal would obey: `↵` for a line break, `\x1b` for ESC. */
export function printable(text: string): string {
  return text.replace(/\r\n|\r|\n/g, "↵").replaceAll("\t", " ").replace(
    unsafe,
    (character) =>
      character < "\u0100" ? `\\x${hexadecimal(character, 2)}` : `\\u${hexadecimal(character, 4)}`,
  );
}

/** Text of several lines as a terminal may be given it: as {@link printable}, but for line ends, carriage returns and tabs. */
export function printableLines(text: string): string {
  return text.replace(
    unsafe,
    (character) => "\n\r\t".includes(character) ? character : printable(character),
  );
}

/** The same JSON, with what {@link printable} would replace escaped, so that it stays valid and equal. */
export function escapeUnsafe(json: string): string {
  return json.replace(unsafe, (character) => `\\u${hexadecimal(character, 4)}`);
}
