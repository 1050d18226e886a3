/** Ctrl-C, where a command has something to say or to do before it ends. */

/** The exit status after Ctrl-C, as of every program that it ends. */
export const interrupted = 130;

/** Ctrl-C, taken from the system until it is disposed of. */
export interface Interrupts extends Disposable {
  /** Resolves at the next Ctrl-C: each one resolves one promise. */
  next(): Promise<void>;
}

/** Takes Ctrl-C from the system. */
export function onInterrupt(): Interrupts {
  const waiting: Array<() => void> = [];
  let missed = 0;
  let isOver = false;
  const handler = () => {
    const resolve = waiting.shift();
    if (resolve) resolve();
    else missed++;
  };
  Deno.addSignalListener("SIGINT", handler);
  return {
    next() {
      if (missed > 0) {
        missed--;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    [Symbol.dispose]() {
      if (!isOver) Deno.removeSignalListener("SIGINT", handler);
      isOver = true;
    },
  };
}
