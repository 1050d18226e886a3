/** Managers and workers as text and JSON. Pure functions of their arguments. */

import { printable } from "../../base/printable.ts";
import type { RegisteredProcess } from "../../store/store.ts";
import { ago, counted, iso, type Table } from "./output.ts";
import { flexible } from "./table_layout.ts";

/** The name of a host as people know it, without what tells containers on it apart. */
const shortName = (host: string) => host.split("/")[0];

/** How hosts are named: by their names alone, but for those that differ in nothing else. */
export function hostNames(processes: readonly RegisteredProcess[]): (process: RegisteredProcess) => string {
  const hosts = new Set(processes.map(({ identity }) => identity.host));
  const namesakes = Map.groupBy(hosts, shortName);
  return ({ identity: { host } }) => namesakes.get(shortName(host))?.length === 1 ? shortName(host) : host;
}

/** The hosts of processes that a name stands for, as they are in their identities: a whole one, or all of that name. */
export function hostsNamed(name: string, processes: readonly RegisteredProcess[]): string[] {
  const hosts = [...new Set(processes.map(({ identity }) => identity.host))];
  return hosts.includes(name) ? [name] : hosts.filter((host) => shortName(host) === name);
}

/** `Manager` or `Worker-N`. */
function processName(process: RegisteredProcess): string {
  return process.role === "manager" ? "Manager" : `Worker-${process.number}`;
}

/** What a process does: `silent` when it has not renewed its lease in time, whatever else it was doing. */
function stateOf(process: RegisteredProcess, jobs: number): "idle" | "running" | "stopping" | "silent" {
  if (process.expired) return "silent";
  if (process.stop) return "stopping";
  return jobs > 0 ? "running" : "idle";
}

/** The number of jobs that a worker runs, or all workers of a manager. */
function jobsOf(process: RegisteredProcess, all: readonly RegisteredProcess[]): number {
  const workers = process.role === "manager"
    ? all.filter(({ manager }) => manager === process.id)
    : [process];
  return workers.reduce((sum, { running }) => sum + running.length, 0);
}

/** The table of `worker list`. */
export function processTable(processes: readonly RegisteredProcess[]): Table {
  const nameOf = hostNames(processes);
  const hasQueues = processes.some(({ queues }) => queues);
  const queuesOf = ({ queues }: RegisteredProcess) =>
    hasQueues ? [queues?.map(printable).join(",") ?? "-"] : [];
  return {
    columns: [
      { title: "NAME", ...flexible(9) },
      { title: "HOST", ...flexible(8) },
      { title: "PID" },
      { title: "STATE" },
      ...hasQueues ? [{ title: "QUEUES", ...flexible(8) }] : [],
      { title: "JOBS", ...flexible(16, 8) },
      { title: "STARTED" },
      { title: "HEARTBEAT" },
    ],
    rows: processes.map((process) => {
      const { running, silentFor, startedAt, heartbeatAt } = process;
      const jobs = jobsOf(process, processes);
      const state = stateOf(process, jobs);
      return [
        processName(process),
        printable(nameOf(process)),
        String(process.identity.pid),
        state === "running" ? `running ${jobs}` : state,
        ...queuesOf(process),
        running.length > 2 ? counted(running.length, "job") : running.map(printable).join(", ") || "-",
        ago(heartbeatAt - startedAt + silentFor),
        ago(silentFor),
      ];
    }),
  };
}

/** A manager or worker as `worker list --json` shows it; `manager` is the pid of the manager that started a worker. */
export function processObject(process: RegisteredProcess, all: readonly RegisteredProcess[]) {
  return {
    role: process.role,
    name: processName(process),
    number: process.role === "manager" ? null : process.number,
    host: hostNames(all)(process),
    pid: process.identity.pid,
    manager: all.find((other) => other.id === process.manager)?.identity.pid ?? null,
    concurrency: process.concurrency,
    queues: process.queues ?? null,
    state: stateOf(process, jobsOf(process, all)),
    running: process.running,
    started_at: iso(process.startedAt),
    heartbeat_at: iso(process.heartbeatAt),
    lease_expired: process.expired,
    stopping: process.stop !== null,
  };
}
