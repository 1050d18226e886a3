/** Did-you-mean: the known words closest to a mistyped one. */

import leven from "leven";

/**
 * Mistakes of typing that make one text of the other: a character more, less or other, or once two that changed places.
 * Where they are more than `most` the number may be too high.
 */
export function distance(typed: string, known: string, most = Infinity): number {
  let least = leven(typed, known);
  // Two that changed places are two others, so at best there is one less.
  if (least - 1 > most) return least;
  for (let at = 1; at < typed.length && least > 1; at++) {
    const [first, second] = [typed[at - 1], typed[at]];
    if (first === second) continue;
    const swapped = typed.slice(0, at - 1) + second + first + typed.slice(at + 1);
    least = Math.min(least, 1 + leven(swapped, known));
  }
  return least;
}

/** Letters of a word for each that may be wrong, and how many may be wrong at most: with more it is another word. */
const [lettersPerMistake, mostMistakes] = [3, 3];
/** Letters of a beginning that says enough. */
const shortestBeginning = 3;

/** The known words that may have been meant by `word`, those that are equally near; several where they are. */
export function nearestOf(word: string, known: readonly string[]): string[] {
  const typed = word.toLowerCase();
  const found = known.map((candidate) => ({
    candidate,
    mistakes: mistakesFor(typed, candidate.toLowerCase()),
  }));
  const least = Math.min(...found.map(({ mistakes }) => mistakes));
  if (least < Infinity) {
    return found.filter(({ mistakes }) => mistakes === least).map(({ candidate }) => candidate);
  }
  if (typed.length < shortestBeginning) return [];
  const longer = known.filter((candidate) => candidate.toLowerCase().startsWith(typed));
  return longer.length === 1 ? longer : [];
}

/** Infinity where they are too many. */
function mistakesFor(typed: string, known: string): number {
  if (typed === known) return 0;
  const length = Math.max(typed.length, known.length);
  // Of two letters one is half of the word, but both are there when they have changed places.
  if (length === 2) return typed[0] === known[1] && typed[1] === known[0] ? 1 : Infinity;
  const most = Math.min(mostMistakes, Math.floor(length / lettersPerMistake));
  if (Math.abs(typed.length - known.length) > most) return Infinity;
  const mistakes = distance(typed, known, most);
  return mistakes <= most ? mistakes : Infinity;
}

/** The known word nearest to `word`, or undefined when none is near enough to be what was meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  return nearestOf(word, known)[0];
}

/** ` (did you mean "x"?)`, or nothing where no known word is near. `synonyms` are other words for known ones. */
export function didYouMean(
  word: string,
  known: readonly string[],
  synonyms: Readonly<Record<string, string>> = {},
): string {
  const key = word.toLowerCase();
  const candidate = Object.hasOwn(synonyms, key)
    ? synonyms[key]
    : nearest(word, known) ?? synonyms[nearest(key, Object.keys(synonyms)) ?? ""];
  return candidate === undefined ? "" : ` (did you mean "${candidate}"?)`;
}

/** The id nearest to one that was mistyped, which may be the beginning of one; undefined when none is near enough. */
export function nearestId(typed: string, ids: readonly string[]): string | undefined {
  if (typed.length < 3) return undefined;
  let best: { id: string; near: number; whole: number } | undefined;
  // Ids are often made by the same rule, and differ in a few characters: only a slip of the fingers counts.
  const most = typed.length < 5 ? 1 : 2;
  for (const id of ids) {
    if (typed.length - id.length > most) continue;
    const whole = distance(typed, id, most);
    const near = Math.min(whole, distance(typed, id.slice(0, typed.length), most));
    if (near > most) continue;
    // Of two that begin alike the one that was typed to its end.
    if (!best || near < best.near || near === best.near && whole < best.whole) best = { id, near, whole };
  }
  return best?.id;
}
