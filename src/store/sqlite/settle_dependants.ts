/** What becomes of dependants when jobs end, in the transaction that ends those; nothing where no job waits for any. */

import {
  areThereAny,
  type Broken,
  cancelChildren,
  markBroken,
  reasonOf,
  unblock,
} from "../operations/dependencies.ts";
import { number, type Row } from "../rows.ts";
import { raw, type Sql, type Steps } from "../sql.ts";

/** Of the open dependencies behind some edges: their columns. */
const columns = raw("edge.parent, edge.child, edge.kind, parent.id");

/**
 * Closes the dependencies on those of these jobs that have ended. Who waits for nothing more becomes available; who waits
 * for the success of one that has none is cancelled (pending or failed → cancelled), and with it who waits for that one.
 * Gives how many were cancelled. The number of statements is always the same, and each reads every dependency on these
 * jobs at most once: others wait for the lock meanwhile.
 */
export function* settle(sql: Sql, jobs: Iterable<number>): Steps<number> {
  const ended = [...new Set(jobs)];
  if (ended.length === 0 || !(yield* areThereAny(sql))) return 0;
  const edges = yield* sql`
    SELECT ${columns}, parent.state FROM ${
    sql.rows("ended", { job: "bigint" }, ended.map((job) => ({ job })))
  }
    CROSS JOIN dependencies AS edge ON edge.parent = ended.job CROSS JOIN jobs AS parent ON parent.seq = edge.parent
    WHERE edge.open = 1 AND parent.state IN ('completed', 'dead', 'cancelled')`;
  if (edges.length === 0) return 0;
  const breaks = (edge: Row) => edge.kind === "success" && edge.state !== "completed";
  const direct = edges.filter(breaks).map((edge) => number(edge, "child"));
  const all = direct.length === 0 ? edges : [...edges, ...yield* edgesBehind(sql, direct)];
  const parents = [...new Set(all.map((edge) => number(edge, "parent")))];
  yield* sql`UPDATE dependencies SET open = 0 WHERE parent ${sql.among(parents)} AND open = 1`;
  yield* unblock(sql, all);
  const broken: Broken[] = yield* cancelChildren(sql, all.filter(breaks).map(reasonOf));
  yield* markBroken(sql, broken);
  return broken.length;
}

/** The open dependencies on those of these jobs that wait, which will be cancelled, and with them who waits for them. */
function* edgesBehind(sql: Sql, jobs: readonly number[]): Steps<readonly Row[]> {
  const direct = sql.rows("direct", { job: "bigint" }, [...new Set(jobs)].map((job) => ({ job })));
  return yield* sql`
    WITH RECURSIVE cancelled (job) AS (
      SELECT seq FROM ${direct} CROSS JOIN jobs ON seq = direct.job WHERE state IN ('pending', 'failed')
      UNION SELECT edge.child FROM cancelled CROSS JOIN dependencies AS edge ON edge.parent = cancelled.job
      CROSS JOIN jobs AS child ON child.seq = edge.child
      WHERE edge.open = 1 AND edge.kind = 'success' AND child.state IN ('pending', 'failed')
    )
    SELECT ${columns}, 'cancelled' AS state FROM cancelled
    CROSS JOIN dependencies AS edge ON edge.parent = cancelled.job CROSS JOIN jobs AS parent ON parent.seq = cancelled.job
    WHERE edge.open = 1`;
}
