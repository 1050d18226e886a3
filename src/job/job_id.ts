/**
 * Job ids: UUIDv7 (RFC 9562), written out here because the `uuid` package loads node:crypto, which costs every
 * `enqueue` 25 ms.
 */

let lastTime = 0;
/** The 12 bits after the time; they count up within a millisecond, so that ids are in the order they were made. */
let counter = 0;

/** A new id that sorts, and is stored, after every other that this process has made. */
export function newJobId(): string {
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    // The highest bit stays free, so that there is room to count (RFC 9562, section 6.2, method 1).
    counter = randomBits() >>> 21;
  } else if (++counter > 0xfff) {
    lastTime++;
    counter = 0;
  }
  const time = hex(lastTime, 12);
  const variant = 0x8000 | randomBits() >>> 18;
  const end = hex(randomBits() >>> 16, 4) + hex(randomBits(), 8);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(counter, 3)}-${hex(variant, 4)}-${end}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

const random = new Uint32Array(256);
let used = random.length;

/** 32 random bits. They are fetched many at a time: a call for each costs more than all the rest of an id. */
function randomBits(): number {
  if (used === random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  return random[used++];
}
