/** Takes disks, files and processes away from programs, and gives them back. */

import assert from "node:assert/strict";
import type { Queue } from "./queue_test.ts";
import { canRun } from "./wrapped_program.ts";

const isLinux = Deno.build.os === "linux";

/** Whether a small disk can be made: by root, where that may mount. */
export const canMount = isLinux && canRun(
  "/bin/sh",
  "-c",
  'd=$(mktemp -d) || exit; mount -t tmpfs -o size=64k tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s',
);

/** Whether limits of a running process can be changed (util-linux). */
export const canLimit = isLinux && canRun("prlimit", "--nofile");

async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
  assert.ok(success, `${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A small disk. */
export interface Disk extends AsyncDisposable {
  path: string;
  /** Takes all its space. */
  fill(): Promise<void>;
  /** Gives that space back. */
  free(): void;
}

/** Mounts an empty disk of that size in a new folder. */
export async function smallDisk(path: string, size: string): Promise<Disk> {
  await Deno.mkdir(path, { recursive: true });
  await run("mount", "-t", "tmpfs", "-o", `size=${size},mode=700`, "tmpfs", path);
  return {
    path,
    // It ends when there is no space left, which it calls a failure.
    fill: async () =>
      void await new Deno.Command("/bin/sh", {
        args: ["-c", 'cat /dev/zero >"$0" 2>/dev/null', `${path}/fill`],
      })
        .output(),
    free: () => Deno.removeSync(`${path}/fill`),
    // Lazily, because where a test has failed programs may still use it.
    [Symbol.asyncDispose]: async () => void await run("umount", "--lazy", path),
  };
}

/**
 * Sets a limit of a running process: nothing more is to be had (`none`), or as much as programs need. Has to be done as
 * its user, by the wrapper.
 */
export async function limit(
  pid: number,
  resource: "nofile" | "nproc" | "fsize",
  amount: "none" | "enough",
  wrapper: readonly string[] = [],
): Promise<void> {
  const none = { nofile: () => lowestFree(pid), nproc: () => 1, fsize: () => 1 };
  const soft = amount === "none" ? await none[resource]() : resource === "fsize" ? "unlimited" : 1000;
  const [command, ...args] = [...wrapper, "prlimit", "--pid", String(pid), `--${resource}=${soft}:`];
  await run(command, ...args);
}

/** The number that the next file of a process gets. */
async function lowestFree(pid: number): Promise<number> {
  const open = new Set((await run("ls", `/proc/${pid}/fd`)).split("\n"));
  let number = 0;
  while (open.has(String(number))) number++;
  return number;
}

/** Whether the tests run as root, who can run programs as other users. */
export const isRoot = isLinux && canRun("/bin/sh", "-c", '[ "$(id -u)" = 0 ]');

/** A user that has no process yet. Only the right to read all files is kept: Deno and its cache may be root's. */
export function newUserWrapper(): { user: string; wrapper: string[] } {
  const user = String(200_000 + Math.floor(Math.random() * 1_000_000));
  const capabilities = ["inh-caps", "ambient-caps", "bounding-set"].map((set) =>
    `--${set}=-all,+dac_read_search`
  );
  return {
    user,
    wrapper: ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", ...capabilities],
  };
}

/** Whether programs can be run as a user whose number of processes can be limited. */
export const canLimitProcesses = canLimit &&
  (!isRoot || canRun(newUserWrapper().wrapper[0], ...newUserWrapper().wrapper.slice(1), "true"));

/** Gives the queue to a user who is not root, whose processes are not limited; the wrapper runs programs as that user. */
export async function giveAway(queue: Queue): Promise<{ wrapper: string[]; env: Record<string, string> }> {
  if (!isRoot) return { wrapper: [], env: queue.env };
  const { user, wrapper } = newUserWrapper();
  const cache = `${queue.path}/deno`;
  await Deno.mkdir(cache);
  const { npmCache } = JSON.parse(await run(Deno.execPath(), "info", "--json"));
  await run("cp", "-r", npmCache, cache);
  await run("chown", "-R", `${user}:${user}`, queue.path);
  return { wrapper, env: { ...queue.env, DENO_DIR: cache, HOME: queue.path } };
}

/** From now on a process gets no more memory than it has. */
export async function limitMemory(pid: number): Promise<void> {
  const script =
    `prlimit --pid "$1" --as=$(($(sed -n 's/^VmSize:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$1/status) * 1024)):`;
  const { success } = await new Deno.Command("sh", { args: ["-c", script, "sh", String(pid)] }).output();
  assert.ok(success, "prlimit failed");
}
