/** Whether every command answers on a million jobs, in a file and on PostgreSQL. */

import { startCluster } from "../helpers/postgres_cluster.ts";
import { filledQueue } from "./filled_queue.ts";
import { type BenchQueue, timed } from "./queue.ts";
import type { Row } from "./report.ts";
import { interleaved, median } from "./statistics.ts";

/** Milliseconds that a command may take longer than on a few jobs, which is its start-up. */
const target = 100;

/** What only reads, or finds nothing to change, and can be run again and again. */
const lines = `
  worker list
  status
  status --workers
  queue list
  list --limit 50
  list --limit 1000
  list --limit 50 --json
  list --limit 50 --cursor 500000
  list --limit 50 --sort id,desc
  list --limit 50 --sort updated
  list --limit 50 --sort updated,desc
  list --limit 50 --sort priority
  list --limit 50 --sort priority,desc
  list --limit 50 --sort attempts,desc
  list --limit 50 --sort state,desc
  list --limit 50 --state cancelled
  list --limit 50 --state completed
  list --limit 50 --state completed --sort updated,desc
  list --state completed --sort attempts,desc
  list --state completed,dead --sort updated,desc
  list --limit 50 --state failed
  list --limit 50 --state failed,dead
  list --limit 50 --state pending
  list --limit 50 --state pending --sort created
  list --limit 50 --state pending --sort priority,desc
  list --limit 50 --state pending --sort updated,desc
  list --limit 50 --state scheduled
  list --limit 50 --state waiting
  list --state waiting --sort priority,desc
  list --limit 50 --since 2h
  list --since 2h --sort priority,desc
  list --limit 50 --since 2999-01-01
  list --limit 50 --older-than 30d
  list --older-than 1d --sort updated,desc
  list --limit 50 --queue dead
  list --limit 50 --queue dead --sort updated,desc
  list --limit 50 --queue default --sort updated
  list --limit 50 --queue three
  list --limit 50 --queue three --state completed
  list --limit 50 --queue dead,three
  list --limit 50 --tag all
  list --limit 50 --tag three
  list --limit 50 --tag all,three
  list --limit 50 --tag all,fifth
  list --limit 50 --tag all --queue three
  list --limit 50 --tag three --state completed
  list --limit 50 --tag all --state completed
  list --limit 50 --tag all --state dead
  list --limit 50 --tag all --sort id
  list --limit 50 --tag all --sort updated,desc
  list --limit 50 --tag fifth --sort priority
  list --limit 50 --since 5m
  list --limit 50 --search convert
  list --limit 50 --search convert --sort updated,desc
  list --limit 50 --search photos/12345
  list --limit 50 --search 12345 --sort priority,desc
  list --limit 50 --search zzz
  list --limit 50 --search zzz --sort updated,desc
  list --limit 50 --search zzz --since 2h
  list --limit 50 --search zzz --state dead
  cancel --tag three --state failed
  cancel --state processing
  cancel --state waiting --since 2999-01-01
  cancel --search zzz
  retry --state cancelled
  hold --queue three --search zzz
  rm --state cancelled
  rm --older-than 30d
  show completed-500
  show pending-500
  logs completed-500
  wait completed-500
  dlq list
  dlq list --since 2h
  dlq list --sort updated,desc
  dlq show dead-50
  dlq retry --search zzz
  dlq purge --since 2999-01-01
  enqueue --after pending-500 -- true
  enqueue --unique key --on-duplicate replace -- true`.trim().split("\n").map((line) => line.trim());

/** The same commands on a queue with a million jobs in a file, over those on one with a few. */
export const commands = (rounds: number): Promise<Row[]> => measure(rounds, "");

/** On PostgreSQL; nothing where it is not installed. */
export async function postgresCommands(rounds: number): Promise<Row[]> {
  await using server = await startCluster([]);
  if (server) return await measure(rounds, " in PostgreSQL", server.url);
  console.error("PostgreSQL is not installed: left out");
  return [];
}

async function measure(rounds: number, where: string, url?: string): Promise<Row[]> {
  const at = (schema: string) => url && `${url}&schema=${schema}`;
  await using large = await filledQueue(
    { completed: 600_000, ready: 200_000, scheduled: 100_000, dead: 100_000, tagged: true },
    at("large"),
  );
  await using small = await filledQueue(
    { completed: 1000, ready: 1000, scheduled: 1000, dead: 1100, tagged: true },
    at("small"),
  );
  // Each takes another job.
  let next = 1;
  const numbered = (text: string) => () => text.replace("ID", String(next++));
  const each: Array<[name: string, line: () => string]> = [
    ...lines.map((line) => [line, () => line] as [string, () => string]),
    ["dlq retry ID", numbered("dlq retry dead-ID")],
    ["retry ID", numbered("retry dead-ID")],
    ["rm ID", numbered("rm dead-ID")],
    ["edit ID --set priority=1", numbered("edit dead-ID --set priority=1")],
    ["cancel ID", numbered("cancel pending-ID")],
    ["hold ID", numbered("hold pending-ID")],
  ];
  const rows: Row[] = [];
  for (const [name, line] of each) {
    const time = async (queue: BenchQueue) => {
      const times: number[] = [];
      for (let run = 0; run < 3; run++) {
        const args = line().split(" ");
        times.push(await timed(() => queue.run(args)));
      }
      return median(times);
    };
    const results = await interleaved(rounds, { large: () => time(large), small: () => time(small) });
    const differences = results.large.map((value, round) => value - results.small[round]);
    rows.push({
      figure: `${name} at 1 000 000 jobs${where}`,
      unit: "ms",
      value: median(results.large),
      against: { name: "a small queue", value: median(results.small) },
      difference: median(differences),
      target: { atMost: target },
    });
  }
  return rows;
}
