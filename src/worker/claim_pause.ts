/** How long a worker claims nothing after the system has refused to start a process or to open a file. */

export interface ClaimPause {
  /** Whether it is over, or there was none. */
  isOver(): boolean;
  /** Something was refused: a second of pause, then twice as long each time. Returns its milliseconds. */
  refuse(): number;
  /** Something could be started: the next pause is a short one again. */
  reset(): void;
}

/** The shortest and the longest pause, in milliseconds. */
const shortest = 1000;
const longest = 30_000;

/** `onOver` is called when a pause is over. */
export function createClaimPause(onOver: () => void): ClaimPause {
  let pause = 0;
  let until = 0;
  const isOver = () => performance.now() >= until;
  return {
    isOver,
    refuse() {
      // Runs that were started together are refused together, and are one reason to wait.
      if (isOver()) {
        pause = Math.min(Math.max(shortest, pause * 2), longest);
        until = performance.now() + pause;
        setTimeout(onOver, pause + 1);
      }
      return pause;
    },
    reset() {
      pause = 0;
    },
  };
}
