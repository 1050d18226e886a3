/** Memory and processor time of other processes (Linux), read through `cat`: a program may not read /proc itself. */

async function read(path: string): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command("cat", { args: [path], stderr: "null" }).output();
  return success ? new TextDecoder().decode(stdout) : undefined;
}

/** MiB of memory that a process has now (`VmRSS`), or has had at most (`VmHWM`). Undefined when it is gone. */
export async function memoryOf(pid: number, field: "VmRSS" | "VmHWM" = "VmRSS"): Promise<number | undefined> {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(await read(`/proc/${pid}/status`) ?? "");
  return match ? Number(match[1]) / 1024 : undefined;
}

/** Seconds of processor time that a process has used (proc_pid_stat(5): utime and stime, in ticks of 10 ms). */
export async function processorTimeOf(pid: number): Promise<number> {
  const stat = await read(`/proc/${pid}/stat`) ?? "";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Looks at a process until it ends; `end` gives the most memory that it had, in MiB. */
export function watchMemory(pid: number): { end(): Promise<number> } {
  let peak = 0;
  async function watch(): Promise<void> {
    for (let memory; (memory = await memoryOf(pid, "VmHWM")) !== undefined;) {
      peak = memory;
      await new Promise((resolve) => setTimeout(resolve, 20));
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
