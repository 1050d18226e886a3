/** Numbers, and durations as people write them: `500ms`, `30s`, `10m`, `2h`, `7d`; a bare number is seconds. */

const unitMilliseconds: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The longest duration that is taken: 100 years, in milliseconds. */
export const maxDuration = 100 * 365 * 86_400_000;

/** Reads a number as JSON has them (`-5`, `0.25`, `1e-3`), also with zeros before it; NaN where the text is none. */
export function parseNumber(text: string): number {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

/** Reads a duration as whole milliseconds; undefined when the text is not one, or is over {@link maxDuration}. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = "s"] = /^(.*?\d)(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  return number === undefined ? undefined : wholeMilliseconds(parseNumber(number) * unitMilliseconds[unit]);
}

/** A length of time as a duration: whole, and within the bounds; undefined when it is not. */
export function wholeMilliseconds(milliseconds: number): number | undefined {
  if (!(milliseconds >= 0 && milliseconds <= maxDuration)) return undefined;
  // What would be rounded to nothing was meant to be something: 0 stands for "no limit" in places.
  return milliseconds > 0 ? Math.max(1, Math.round(milliseconds)) : 0;
}

/** Writes milliseconds in the largest unit that divides them: 3600000 is `1h`, 1500 is `1500ms`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  for (const unit of ["d", "h", "m", "s"]) {
    if (milliseconds % unitMilliseconds[unit] === 0) return `${milliseconds / unitMilliseconds[unit]}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** Milliseconds as a plain number of seconds, without trailing zeros: 2000 is `2`, 500 is `0.5`. */
export function formatSeconds(milliseconds: number): string {
  return String(milliseconds / 1000);
}

/** Milliseconds as people say them, in one or two units: `350ms`, `2.5s`, `3m 5s`, `2h 10m`, `1d 4h`. */
export function spelledDuration(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds));
  if (whole < 1000) return `${whole}ms`;
  if (whole < 60_000) return `${Math.floor(whole / 100) / 10}s`;
  const units = ["d", "h", "m", "s"];
  const first = units.findIndex((unit) => whole >= unitMilliseconds[unit]);
  const [large, small] = units.slice(first, first + 2);
  const rest = Math.floor(whole % unitMilliseconds[large] / unitMilliseconds[small]);
  return `${Math.floor(whole / unitMilliseconds[large])}${large}${rest === 0 ? "" : ` ${rest}${small}`}`;
}
