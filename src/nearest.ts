/** Did-you-mean: the known word closest to a mistyped one. */

import distance from "leven";

/** The known word nearest to `word`, or undefined when none is near enough to be what was meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // A word that needs more than half its letters changed is another word.
  let bestDistance = Math.max(2, Math.floor(word.length / 2)) + 1;
  for (const candidate of known) {
    const candidateDistance = distance(word.toLowerCase(), candidate);
    if (candidateDistance < bestDistance) [best, bestDistance] = [candidate, candidateDistance];
  }
  return best;
}

/** ` (did you mean "x"?)`, or nothing where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const candidate = nearest(word, known);
  return candidate === undefined ? "" : ` (did you mean "${candidate}"?)`;
}
