/** The lines that managers and workers print: the original program's, on standard output. */

import { printable } from "../printable.ts";

/** Prints lines on standard output; one that takes no more is no reason to stop working. */
export function print(lines: readonly string[]): void {
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  try {
    for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
  } catch (error) {
    // EIO: the terminal was closed. EPIPE: the reader has ended. EAGAIN: it does not read. ENOSPC: it is a full disk.
    const isLost = error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.WouldBlock ||
      /os error (5|6|11|28|35)\b/.test(String(error));
    if (!isLost) throw error;
  }
}

/** `[HH:MM:SS] Worker-N: text`, in local time. */
export function workerLine(number: number, text: string, now = new Date()): string {
  return `[${now.toTimeString().slice(0, 8)}] Worker-${number}: ${printable(text)}`;
}
