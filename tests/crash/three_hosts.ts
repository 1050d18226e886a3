/** Three hosts on one queue, of which one is cut off for longer than its lease: what becomes of many jobs. */

import type { NewJob } from "../../src/job/job.ts";
import { seededRandom } from "../helpers/random.ts";
import type { SharedQueue } from "../helpers/shared_queue.ts";
import { shortLease } from "../helpers/short_lease.ts";
import { waitFor } from "../helpers/wait_for.ts";

export interface HostsReport {
  jobs: number;
  network: string;
  /** Copies that were started, and those among them that did not come to their end. */
  copies: number;
  unfinished: number;
  /** Copies that were started on each host. */
  hosts: Record<string, number>;
  /** Milliseconds for which one host was cut off, and for which there were jobs. */
  cutOff: number;
  duration: number;
  outcomes: Record<string, number>;
  /** Sessions with the server, at most at one time before the cut: of what is cut off the server knows nothing. */
  sessions: number;
  violations: string[];
}

/** Names of the three; each has one manager with two workers, with four commands each. */
const names = ["one", "two", "three"];
const [workers, concurrency] = [2, 4];
const slots = names.length * workers * concurrency;

/**
 * Every copy tells when it begins, that it lives, and when it ends: the copies of a job must not overlap. A line is
 * written by one write, which a file takes as a whole.
 */
function job(index: number, seconds: number): Pick<NewJob, "id" | "command"> & { maxRetries: number } {
  const id = `job-${index}`;
  const tell = (what: string) => `echo "${id} $copy ${what} $(date +%s%N)" >>told`;
  const work = seconds === 0 ? "" : `n=0; while [ $n -lt ${seconds * 5} ]; do
    sleep 0.2; ${tell("lives")}; n=$((n+1)); done; `;
  return {
    id,
    maxRetries: 10,
    command: `copy=$(hostname).$QUEUECTL_ATTEMPT.$$; ${tell("begins")}; ${work}${tell("ends")}`,
  };
}

/**
 * Runs `count` jobs, a twentieth of which take one to three seconds; those that run when the host is cut off would go on
 * for twice its lease.
 */
export async function threeHosts(queue: SharedQueue, count: number): Promise<HostsReport> {
  const random = seededRandom(1);
  const third = Math.floor(count / 3);
  const seconds = (index: number) => {
    if (index >= third && index < third + slots) return shortLease * 2 / 1000;
    return index % 20 === 0 ? random.between(1, 3) : 0;
  };
  const jobs = Array.from(
    { length: count },
    (_, index) => job(index, seconds(index)),
  );
  await queue.enqueue(...jobs);
  const hosts = await Promise.all(names.map((name) => queue.host(name)));
  const startedAt = performance.now();
  for (const host of hosts) {
    queue.start(host, "--count", String(workers), "--concurrency", String(concurrency));
  }
  let sessions = 0;
  const completed = async () => (await queue.store.counts()).completed;
  const describe = async () => JSON.stringify(await queue.store.counts());
  /** However long that takes, as long as it goes on. */
  async function untilCompleted(wanted: number, look = async () => {}): Promise<void> {
    for (let before = -1; before < wanted;) {
      await look();
      before = await waitFor("one job more", async () => {
        const now = await completed();
        return now > before && now;
      }, describe);
    }
  }
  await untilCompleted(third, async () => {
    sessions = Math.max(sessions, await queue.sessions());
  });
  const cutAt = performance.now();
  hosts[0].cut();
  // Longer than the lease, and until others have done what it had.
  await new Promise((resolve) => setTimeout(resolve, shortLease * 2));
  hosts[0].restore();
  const cutOff = Math.round(performance.now() - cutAt);
  await untilCompleted(count);
  const duration = Math.round(performance.now() - startedAt);
  return {
    ...await reportOn(queue, jobs.map(({ id }) => id)),
    network: hosts[0].network,
    cutOff,
    duration,
    sessions,
  };
}

interface Copy {
  name: string;
  from: bigint;
  /** The last that was heard of it. */
  to: bigint;
  hasEnded: boolean;
}

async function reportOn(
  queue: SharedQueue,
  ids: readonly string[],
): Promise<Omit<HostsReport, "network" | "cutOff" | "duration" | "sessions">> {
  const violations: string[] = [];
  const copies = new Map<string, Map<string, Copy>>();
  for (const line of queue.read("told").split("\n").slice(0, -1)) {
    const match = /^(\S+) (\S+) (begins|lives|ends) (\d+)$/.exec(line);
    if (!match) {
      violations.push(`a line that nobody wrote: ${line}`);
      continue;
    }
    const [, id, name, what, text] = match;
    const time = BigInt(text);
    const ofJob = copies.get(id) ?? new Map<string, Copy>();
    copies.set(id, ofJob);
    const copy = ofJob.get(name);
    if (what === "begins") {
      if (copy) violations.push(`${id} has two copies ${name}`);
      ofJob.set(name, { name, from: time, to: time, hasEnded: false });
    } else if (copy) {
      copy.to = time;
      copy.hasEnded ||= what === "ends";
    } else violations.push(`${id} has a copy ${name} that has not begun`);
  }
  const outcomes: Record<string, number> = {};
  for (const id of ids) {
    const ofJob = [...copies.get(id)?.values() ?? []].sort((a, b) => a.from < b.from ? -1 : 1);
    if (!ofJob.some(({ hasEnded }) => hasEnded)) violations.push(`${id} is lost`);
    ofJob.forEach(({ name, from }, index) => {
      const before = ofJob[index - 1];
      if (before && from <= before.to) violations.push(`${id} overlaps: ${before.name} and ${name}`);
    });
    for (const { outcome } of await queue.store.attempts(id)) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  }
  const all = [...copies.values()].flatMap((ofJob) => [...ofJob.values()]);
  const hosts = Object.fromEntries(names.map((name) => [
    name,
    all.filter((copy) => copy.name.startsWith(`${name}.`)).length,
  ]));
  violations.push(...await queue.store.check());
  return {
    jobs: ids.length,
    copies: all.length,
    unfinished: all.filter(({ hasEnded }) => !hasEnded).length,
    hosts,
    outcomes,
    violations,
  };
}
