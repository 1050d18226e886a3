import { delay } from "../../src/base/delay.ts";
import { memoryOf } from "../helpers/host_processes.ts";

/** Looks at a process until it ends; `end` gives the most memory that it had, in MiB. */
export function watchMemory(pid: number): { end(): Promise<number> } {
  let peak = 0;
  async function watch(): Promise<void> {
    for (let memory; (memory = await memoryOf(pid, "VmHWM")) !== undefined;) {
      peak = memory;
      await delay(20);
    }
  }
  const watching = watch();
  return {
    async end() {
      await watching;
      return peak;
    },
  };
}
