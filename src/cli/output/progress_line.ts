/** A line on the terminal that says how far something is; nothing where standard error is no terminal. */

/** Milliseconds between two changes of the line, and before it is there at all. */
const interval = 200;
const barLength = 20;

/** How much was read, and of how much: `share` is from 0 to 1, null where that is not known. */
export interface Progress {
  jobs: number;
  share: number | null;
}

/** The text of the line. */
export function progressText({ jobs, share }: Progress): string {
  const read = `${jobs} job${jobs === 1 ? "" : "s"} read`;
  if (share === null) return read;
  const done = Math.min(1, share);
  const bar = "#".repeat(Math.floor(done * barLength)).padEnd(barLength);
  return `[${bar}] ${String(Math.floor(done * 100)).padStart(3)} %  ${read}`;
}

/**
 * Shows a line that is changed in place, where it is to be shown at all; disposing of it takes it away. `write` is where
 * it goes, `now` the time in milliseconds.
 */
export function openProgress(
  isShown: boolean,
  write: (text: string) => void = writeToTerminal,
  now: () => number = () => performance.now(),
): { show(progress: Progress): void } & Disposable {
  let last = now();
  let isThere = false;
  return {
    show(progress) {
      if (!isShown || now() - last < interval) return;
      last = now();
      isThere = true;
      write(`\r\x1b[K${progressText(progress)}`);
    },
    [Symbol.dispose]() {
      if (isThere) write("\r\x1b[K");
      isThere = false;
    },
  };
}

function writeToTerminal(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch (error) {
    // A terminal that is gone shows nothing any more; what is being done goes on.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
