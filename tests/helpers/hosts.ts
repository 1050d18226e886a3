/**
 * Hosts that share a PostgreSQL queue, on one machine: each has processes and a name of its own (Linux namespaces), its own
 * spool, and its own way to the server, which can go dead: a network of its own where the system lets us make one.
 */

import { permissions } from "../../src/worker/host/program.ts";
import { type Manager, watchManager } from "./manager.ts";
import type { ProgramResult } from "./program.ts";
import { openRelay, type Relay } from "./relay.ts";
import { waitFor } from "./wait_for.ts";
import { canRun } from "./wrapped_program.ts";

const unshare = ["--fork", "--pid", "--mount-proc", "--uts", "--kill-child"];

/** Whether hosts can be made here. */
export const canMakeHosts = Deno.build.os === "linux" && canRun("unshare", ...unshare, "true") &&
  canRun("nsenter", "--version");

/** Whether they can have networks of their own. */
const canMakeNetworks = (() => {
  const name = `probe-${crypto.randomUUID().slice(0, 8)}`;
  return canMakeHosts && canRun("ip", "netns", "add", name) && canRun("ip", "netns", "delete", name);
})();

export interface Host extends AsyncDisposable {
  readonly name: string;
  /** How its network is made, and so how it goes dead. */
  readonly network: "namespace" | "relay";
  /** The URL by which its programs reach the queue. */
  readonly url: string;
  /** Starts `worker start` there. */
  start(...args: string[]): Manager;
  /** Runs the program there to its end. */
  run(...args: string[]): Promise<ProgramResult>;
  /** Nothing passes between it and the server any more. */
  cut(): void;
  restore(): void;
  /** `kill -9` of every process of queuectl itself: the commands, and the shells that run them, go on. */
  killPrograms(): Promise<void>;
  /** Pids, as this machine sees them, of its workers. */
  workers(): Promise<number[]>;
}

/** Makes a host; `path` is a folder that all share, `url` is the queue. */
export async function makeHost(name: string, path: string, url: string): Promise<Host> {
  await using stack = new AsyncDisposableStack();
  const address = new URL(url);
  const network = stack.use(await openNetwork(Number(address.port || 5432)));
  address.hostname = network.address;
  address.port = String(network.relay.port);
  address.searchParams.set("sslmode", "disable");
  const own = address.href.replaceAll("+", "%20");
  const mark = `${path}/${name}.state`;

  // Holds the namespaces; when it is gone, so is every process in them.
  const holder = new Deno.Command("unshare", {
    args: [...unshare, "sh", "-c", 'hostname "$1"; echo ready; read _', "sh", name],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  stack.defer(async () => {
    await holder.stdin.close();
    await Promise.all([holder.stdout.cancel(), holder.status]);
  });
  const first = await waitFor("the first process of the host", async () => {
    const children = await sh(`cat /proc/${holder.pid}/task/${holder.pid}/children`);
    const pid = children.trim();
    return pid !== "" && (await sh(`cat /proc/${pid}/comm`)).trim() === "sh" && pid;
  });
  await waitFor(
    "its name",
    async () => (await sh(`nsenter -t ${first} --uts hostname`)).trim() === name,
  );

  const executable = Deno.env.get("QUEUECTL_TEST_PROGRAM");
  const main = new URL("../../src/main.ts", import.meta.url).href;
  const program = executable
    ? [executable]
    : [Deno.execPath(), "run", "--no-prompt", "--quiet", ...permissions, main];
  function command(args: readonly string[]): Deno.Command {
    const { QUEUECTL_TEST_PROGRAM: _, ...env } = Deno.env.toObject();
    return new Deno.Command("nsenter", {
      args: ["-t", first, "--pid", "--uts", "--mount", ...network.enter, "--", ...program, ...args],
      cwd: path,
      clearEnv: true,
      env: { ...env, NO_COLOR: "1", QUEUECTL_DB: own, XDG_STATE_HOME: mark },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async function programs(kind: string): Promise<number[]> {
    const found = await sh(
      `for file in $(grep -lsF -- "XDG_STATE_HOME=${mark}" /proc/[0-9]*/environ); do
        process=\${file%/environ}
        tr '\\0' ' ' <$process/cmdline 2>/dev/null | grep -q -- "^${
        program[0]
      } .*${kind}" && echo \${process#/proc/}
      done; true`,
    );
    return found.split("\n").filter((line) => line !== "").map(Number);
  }

  const resources = stack.move();
  return {
    name,
    network: network.kind,
    url: own,
    start: (...args) => watchManager(command(["worker", "start", ...args]).spawn()),
    async run(...args) {
      const { code, stdout, stderr } = await command(args).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    cut: () => network.cut(),
    restore: () => network.restore(),
    workers: () => programs("--worker "),
    async killPrograms() {
      // Managers first: they would start their workers anew.
      for (const kind of ["worker start", "--worker "]) {
        await waitFor("the end of the programs", async () => {
          const found = await programs(kind);
          if (found.length > 0) await sh(`kill -9 ${found.join(" ")} 2>/dev/null; true`);
          return found.length === 0;
        });
      }
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

interface Network extends AsyncDisposable {
  kind: Host["network"];
  /** Where the server is, seen from the host. */
  address: string;
  relay: Relay;
  /** What `nsenter` is told. */
  enter: string[];
  cut(): void;
  restore(): void;
}

async function openNetwork(serverPort: number): Promise<Network> {
  if (!canMakeNetworks) {
    const relay = openRelay(serverPort);
    return {
      kind: "relay",
      address: "127.0.0.1",
      relay,
      enter: [],
      cut: relay.cut,
      restore: relay.restore,
      [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
    };
  }
  const id = crypto.randomUUID().slice(0, 8);
  const [netns, outside, inside] = [`queuectl-${id}`, `qo-${id}`, `qi-${id}`];
  const { first, second } = await freeAddresses();
  await sh(`set -e
    ip netns add ${netns}
    ip link add ${outside} type veth peer name ${inside} netns ${netns}
    ip addr add ${first}/30 dev ${outside}
    ip link set ${outside} up
    ip -n ${netns} addr add ${second}/30 dev ${inside}
    ip -n ${netns} link set lo up
    ip -n ${netns} link set ${inside} up`);
  const relay = openRelay(serverPort, first);
  return {
    kind: "namespace",
    address: first,
    relay,
    enter: [`--net=/run/netns/${netns}`],
    cut: () => void shSync(`ip link set ${outside} down`),
    restore: () => void shSync(`ip link set ${outside} up`),
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await sh(`ip link delete ${outside}; ip netns delete ${netns}`);
    },
  };
}

/** Two addresses of a network that nobody uses: one of the many that are set aside for tests of devices. */
async function freeAddresses(): Promise<{ first: string; second: string }> {
  return await waitFor("a free network", async () => {
    const network = Math.floor(Math.random() * 2 ** 15) * 4;
    const address = (host: number) =>
      `198.${18 + (network >> 16)}.${(network >> 8) % 256}.${network % 256 + host}`;
    const used = await sh(`ip -o -4 addr show to ${address(0)}/30`);
    return used.trim() === "" && { first: address(1), second: address(2) };
  });
}

const shell = (script: string) =>
  new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "null", stdout: "piped", stderr: "piped" });

async function sh(script: string): Promise<string> {
  const { success, stdout, stderr } = await shell(script).output();
  const errors = new TextDecoder().decode(stderr);
  if (!success && errors !== "" && !script.startsWith("cat ")) throw new Error(`${script}: ${errors}`);
  return new TextDecoder().decode(stdout);
}

function shSync(script: string): void {
  const { success, stderr } = shell(script).outputSync();
  if (!success) throw new Error(`${script}: ${new TextDecoder().decode(stderr)}`);
}
