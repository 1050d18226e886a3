/** The lines that managers and workers print: the original program's, on standard output. */

/** Prints lines on standard output; a terminal or pipe that is gone is no reason to stop working. */
export function print(lines: readonly string[]): void {
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  try {
    for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
  } catch (error) {
    // EIO: the terminal was closed. EPIPE: the reader has ended.
    const isGone = error instanceof Deno.errors.BrokenPipe || /os error (5|6)\b/.test(String(error));
    if (!isGone) throw error;
  }
}

/** `[HH:MM:SS] Worker-N: text`, in local time. */
export function workerLine(number: number, text: string, now = new Date()): string {
  return `[${now.toTimeString().slice(0, 8)}] Worker-${number}: ${text}`;
}
