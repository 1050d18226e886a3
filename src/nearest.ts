/** Did-you-mean: the known word closest to a mistyped one. */

import distance from "leven";

/** The known word nearest to `word`, or undefined when none is near enough to be what was meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // A word that needs more than half its letters changed is another word.
  let bestDistance = Math.max(2, Math.floor(word.length / 2)) + 1;
  for (const candidate of known) {
    const candidateDistance = distance(word.toLowerCase(), candidate.toLowerCase());
    if (candidateDistance < bestDistance) [best, bestDistance] = [candidate, candidateDistance];
  }
  return best;
}

/** ` (did you mean "x"?)`, or nothing where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const candidate = nearest(word, known);
  return candidate === undefined ? "" : ` (did you mean "${candidate}"?)`;
}

/** The id nearest to one that was mistyped, which may be the beginning of one; undefined when none is near enough. */
export function nearestId(typed: string, ids: readonly string[]): string | undefined {
  if (typed.length < 3) return undefined;
  let best: string | undefined;
  // Ids are often made by the same rule, and differ in a few characters: only a slip of the fingers counts.
  let bestDistance = (typed.length < 5 ? 1 : 2) + 1;
  for (const id of ids) {
    const nearer = Math.min(distance(typed, id), distance(typed, id.slice(0, typed.length)));
    if (nearer < bestDistance) [best, bestDistance] = [id, nearer];
  }
  return best;
}
