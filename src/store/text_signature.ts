/**
 * Signatures of the commands and ids of some jobs: they tell which texts can be in any of them, without those being read.
 * Pure.
 *
 * A signature is a Bloom filter (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970) of short pieces
 * of the texts. A text can only be in one of them when all of its pieces are; some that are not seem to be. There may be
 * several, each for its share of the pieces, so that not all of them are read for a text (Putze, Sanders and Singler,
 * "Cache-, hash- and space-efficient Bloom filters", 2007).
 */

/** Bits of the largest signature: with it a row of PostgreSQL still fits on a page. */
const mostBits = 2 ** 15;
/** Bits of the smallest. */
const leastBits = 2 ** 7;
/** A signature has at least so many bits for each piece, where it can: then one in thirty others seems to be there. */
const bitsForPiece = 8;
/** Bits that each piece sets. */
const hashes = 3;
/** Pieces that are looked for at most: more hardly ever tell anything else. */
const mostPieces = 16;
/** Bytes of the commands that are signed together at most: in longer ones nearly every piece is there. */
export const mostSigned = 2 ** 20;

/** Gives the hashes of all pieces of a text to `visit`; `length` is that of the text that is looked for. */
type Pieces = (text: string, visit: (hash: number) => void, length?: number) => void;

/**
 * Pieces of one to four characters, or only the longest of them that a text has which is looked for. Of numbers that were
 * counted up, a thousand have all pieces of three digits that there are.
 */
export const textPieces: Pieces = (text, visit, length) => {
  const visited = length === undefined ? 0 : Math.min(length, 4);
  let [second, third, fourth] = [0, 0, 0];
  for (let index = 0; index < text.length; index++) {
    const first = lowerCase(text.charCodeAt(index));
    if (visited < 2) visit(hashOf(first));
    if (index > 0 && (visited === 0 || visited === 2)) visit(hashOf(first, second));
    if (index > 1 && (visited === 0 || visited === 3)) visit(hashOf(first, second, third));
    if (index > 2 && (visited === 0 || visited === 4)) visit(hashOf(first, second, third, fourth));
    fourth = third;
    third = second;
    second = first;
  }
};

/**
 * Pieces of four hexadecimal digits. UUIDs have so many of them that they are signed by themselves.
 */
export const uuidPieces: Pieces = (id, visit) => {
  let digits = 0;
  let value = 0;
  for (let index = 0; index < id.length; index++) {
    const digit = Number.parseInt(id[index], 16);
    digits = Number.isNaN(digit) ? 0 : digits + 1;
    value = (value << 4 | digit) & 0xffff;
    if (digits >= 4) visit(hashOf(value));
  }
};

export const isUuid = (id: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id);

/** Whether a text may be a part of a UUID. */
export const mayBeInUuid = (text: string): boolean =>
  /^[0-9a-f-]+$/i.test(text) &&
  "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx".includes(text.replaceAll(/[^-]/g, "x"));

/** Signatures for texts that are added: of a number that is a power of two, up to four. */
export const createSignatures = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => new Uint8Array(mostBits / 8));

/** Has signatures tell of one more text. */
export function addText(signatures: readonly Uint8Array[], text: string, pieces: Pieces): void {
  pieces(text, (hash) => {
    const signature = signatures[blockOf(hash, signatures.length)];
    const mask = signature.length * 8 - 1;
    for (let number = 0; number < hashes; number++) setBit(signature, bitOf(hash, number) & mask);
  });
}

/** Whether signatures tell of all pieces of a text. */
export function tellsOf(signatures: readonly Uint8Array[], text: string, pieces: Pieces): boolean {
  let isWhole = true;
  pieces(text, (hash) => {
    const signature = signatures[blockOf(hash, signatures.length)];
    const mask = signature.length * 8 - 1;
    for (let number = 0; number < hashes; number++) isWhole &&= hasBit(signature, bitOf(hash, number) & mask);
  });
  return isWhole;
}

/** What one of some signatures has to have for a text to be there: numbers, of which the lowest digits say which bit. */
export interface Sought {
  block: number;
  bits: number[];
}

/** What all of `count` signatures have to have; first the one that tells most. */
export function soughtIn(text: string, pieces: Pieces, count: number): Sought[] {
  const all = new Set<number>();
  pieces(text, (hash) => all.add(hash), text.length);
  const found = [...all];
  // From all of the text: many commands begin alike.
  const chosen = found.length <= mostPieces
    ? found
    : Array.from({ length: mostPieces }, (_, index) => found[Math.floor(index * found.length / mostPieces)]);
  return [...Map.groupBy(chosen, (hash) => blockOf(hash, count))]
    .map(([block, hashesOfBlock]) => ({
      block,
      bits: hashesOfBlock.flatMap((hash) =>
        Array.from({ length: hashes }, (_, number) => bitOf(hash, number))
      ),
    }))
    .sort((a, b) => b.bits.length - a.bits.length);
}

/** Whether there may be a text with these bits; for sure where there is. */
export function mayHold(signature: Uint8Array, bits: readonly number[]): boolean {
  const mask = signature.length * 8 - 1;
  return bits.every((bit) => hasBit(signature, bit & mask));
}

/** A signature half as long, and again, while there are enough bits for the pieces: where a bit is its last digits say. */
export function folded(signature: Uint8Array): Uint8Array {
  const needed = bitsForPiece * piecesIn(signature);
  let result = signature;
  while (result.length * 8 > leastBits && result.length * 4 >= needed) {
    const half = result.slice(0, result.length / 2);
    for (let index = 0; index < half.length; index++) half[index] |= result[half.length + index];
    result = half;
  }
  return result;
}

/** About how many pieces a signature tells of (Swamidass and Baldi, 2007, https://doi.org/10.1021/ci600526a). */
function piecesIn(signature: Uint8Array): number {
  const bits = signature.length * 8;
  let set = 0;
  for (const byte of signature) {
    for (let rest = byte; rest !== 0; rest &= rest - 1) set++;
  }
  return set === bits ? Infinity : -bits / hashes * Math.log(1 - set / bits);
}

/** By the two highest bits. */
const blockOf = (hash: number, count: number): number => hash >>> 30 & count - 1;

/** Two numbers of fifteen bits, and sums of them (Kirsch and Mitzenmacher, "Less hashing, same performance", 2006). */
const bitOf = (hash: number, number: number): number =>
  (hash & mostBits - 1) + number * (hash >>> 15 & mostBits - 1 | 1) & mostBits - 1;

const hasBit = (signature: Uint8Array, bit: number): boolean => (signature[bit >>> 3] & 1 << (bit & 7)) !== 0;

function setBit(signature: Uint8Array, bit: number): void {
  signature[bit >>> 3] |= 1 << (bit & 7);
}

/** As both stores compare: A to Z, and no other characters, are the same in either case. */
const lowerCase = (code: number) => code >= 65 && code <= 90 ? code + 32 : code;

/**
 * A hash of up to four numbers. The end is that of MurmurHash3 (`fmix32`, Austin Appleby, public domain), after which
 * every bit depends on all.
 */
function hashOf(first: number, second = 0, third = 0, fourth = 0): number {
  let hash = first ^ Math.imul(second, 0x9e3779b1) ^ Math.imul(third, 0x85ebca77) ^
    Math.imul(fourth, 0xc2b2ae3d);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
