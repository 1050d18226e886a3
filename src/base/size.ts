/** Sizes as people write them: `4096`, `64KiB`, `1MiB`; a bare number is bytes. */

const unitBytes: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Reads a size as whole bytes; undefined when the text is not one. Unit letters may be of either case. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12})(b|kib|mib|gib)?$/i.exec(text.trim());
  if (!match) return undefined;
  const unit = Object.keys(unitBytes).find((name) => name.toLowerCase() === (match[2] ?? "b").toLowerCase())!;
  return Number(match[1]) * unitBytes[unit];
}

/** Writes bytes in the largest unit that divides them: 1048576 is `1MiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"]) {
    if (bytes > 0 && bytes % unitBytes[unit] === 0) return `${bytes / unitBytes[unit]}${unit}`;
  }
  return `${bytes}B`;
}
