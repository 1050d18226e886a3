/**
 * What new jobs wait for, while they are being collected in a temporary table `intake` of a SQLite database: the names of
 * their parents, and whether they would wait for one another.
 */

import type { DatabaseSync } from "node:sqlite";
import type { NewJob } from "../job/job.ts";
import { waitsForItself } from "./errors.ts";

/** The kinds of dependencies: for one parent the greater one counts. */
export const kinds = { after: "success", afterAny: "any" } as const;

/** Begins to collect parents; gives the way to add those of a job. */
export function openParents(connection: DatabaseSync): (job: NewJob) => void {
  connection.exec(
    "CREATE TEMP TABLE parents (child TEXT NOT NULL, parent TEXT NOT NULL, kind TEXT NOT NULL)",
  );
  const insert = connection.prepare(
    "INSERT INTO temp.parents (child, parent, kind) SELECT ?1, value, ?2 FROM json_each(?3)",
  );
  return (job) => {
    for (const field of ["after", "afterAny"] as const) {
      const names = job[field] ?? [];
      if (names.length > 0) insert.run(job.id, kinds[field], JSON.stringify(names));
    }
  };
}

/** Throws `usage` where new jobs wait for one another in a circle, or one for itself. */
export function refuseCircles(connection: DatabaseSync): void {
  const edges = `
    FROM temp.parents CROSS JOIN temp.intake AS parent ON parent.id = parents.parent
    CROSS JOIN temp.intake AS child ON child.id = parents.child`;
  // In a circle somebody waits for one that comes later, or for itself.
  const isPossible = connection.prepare(`SELECT 1 ${edges} WHERE parent.number >= child.number LIMIT 1`)
    .get();
  if (isPossible === undefined) return;
  const parentsOf = new Map<string, string[]>();
  for (const row of connection.prepare(`SELECT child.id AS child, parent.id AS parent ${edges}`).iterate()) {
    const child = row.child as string;
    const parents = parentsOf.get(child);
    if (parents) parents.push(row.parent as string);
    else parentsOf.set(child, [row.parent as string]);
  }
  const circle = findCircle(parentsOf);
  if (circle) throw waitsForItself(circle);
}

/** Names each of which waits for the next one, the last being the first; undefined where there is no such circle. */
export function findCircle(parentsOf: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  for (const start of parentsOf.keys()) {
    // A list of our own: a chain can be longer than the calls that fit the stack.
    const path: Array<{ name: string; next: number }> = [];
    const onPath = new Set<string>();
    const enter = (name: string) => {
      path.push({ name, next: 0 });
      onPath.add(name);
    };
    if (!done.has(start)) enter(start);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const parent = parentsOf.get(top.name)?.[top.next++];
      if (parent === undefined) {
        path.pop();
        onPath.delete(top.name);
        done.add(top.name);
      } else if (onPath.has(parent)) {
        const names = path.map(({ name }) => name);
        return [...names.slice(names.indexOf(parent)), parent];
      } else if (!done.has(parent)) enter(parent);
    }
  }
}
