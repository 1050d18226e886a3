/** The function that settles dependencies in the server: in one round trip with what ends the jobs. */

import { safePath } from "./connection/safe_path.ts";

/**
 * `settle(ended, at, channel, sender)` closes the dependencies on those of these jobs that have ended. Who waits for nothing
 * more becomes available, and listeners are told; who waits for the success of one that has none is cancelled (pending or
 * failed → cancelled), and with it who waits for that one. Gives how many were cancelled.
 *
 * Two that end at once in two sessions both count: each takes away its own dependencies, which nobody else changes because
 * it has locked their parent, from a child that it has locked, in the order of the keys. Nothing is done a second time.
 */
export const settleFunction = `
  CREATE FUNCTION queuectl.settle(ended bigint[], at bigint, channel text, sender text) RETURNS bigint
  LANGUAGE plpgsql ${safePath} AS $settle$
  DECLARE
    children bigint[];
    closed bigint[];
    reasons text[];
    parents bigint[];
    stopped bigint[];
    locked bigint[];
    is_behind boolean := false;
    freed bigint := 0;
    total bigint := 0;
    more bigint;
  BEGIN
    -- Those that have ended, and then all who are cancelled because of them and who wait for those: two turns, whatever
    -- there is. A turn for each step of a chain would change the counters as often, and read all their versions again.
    LOOP
      -- Asked first: an UPDATE that finds nothing costs more.
      EXIT WHEN NOT EXISTS (SELECT 1 FROM queuectl.dependencies WHERE parent = ANY (ended) AND open);
      -- By their keys before their states: there is an index on these too, and statistics are often wrong.
      WITH parent AS MATERIALIZED (SELECT seq, state FROM queuectl.jobs WHERE seq = ANY (ended)),
      edges AS (
        UPDATE queuectl.dependencies AS edge SET open = false FROM parent
        WHERE edge.open AND parent.seq = edge.parent
          AND (is_behind OR parent.state IN ('completed', 'dead', 'cancelled'))
        RETURNING edge.parent, edge.child, edge.kind = 'success' AND parent.state <> 'completed' AS breaks
      ),
      counted AS (
        SELECT child, count(*) AS n, min(parent) FILTER (WHERE breaks) AS first FROM edges GROUP BY child
      )
      SELECT pg_catalog.array_agg(child), pg_catalog.array_agg(n), pg_catalog.array_agg('Job "' || parent.id || '" that it waits for is '
        || CASE WHEN is_behind THEN 'cancelled' ELSE parent.state END), pg_catalog.array_agg(first)
      INTO children, closed, reasons, parents
      FROM counted
      LEFT JOIN LATERAL (SELECT id, state FROM queuectl.jobs WHERE seq = counted.first OFFSET 0) AS parent ON true;
      EXIT WHEN children IS NULL;

      PERFORM 1 FROM queuectl.jobs WHERE seq = ANY (children) ORDER BY seq FOR NO KEY UPDATE;
      WITH changed AS (
        UPDATE queuectl.jobs AS job SET blocked = job.blocked - each.n,
          available = job.state IN ('pending', 'failed') AND job.blocked = each.n AND NOT job.held
            AND job.next_attempt_at IS NULL AND each.reason IS NULL
        FROM unnest(children, closed, reasons) AS each (child, n, reason) WHERE job.seq = each.child
        RETURNING job.available
      )
      SELECT count(*) FROM changed WHERE available INTO more;
      freed := freed + more;

      WITH cancelled AS (
        UPDATE queuectl.jobs AS job SET state = 'cancelled', available = false, held_before = job.held, held = false,
          due_before = job.next_attempt_at, next_attempt_at = NULL, last_error = each.reason, updated_at = at
        FROM unnest(children, reasons, parents) AS each (child, reason, parent)
        WHERE job.seq = each.child AND each.reason IS NOT NULL AND job.state IN ('pending', 'failed')
        RETURNING job.seq, each.parent
      ),
      marked AS (
        UPDATE queuectl.dependencies AS edge SET broken = true FROM cancelled
        WHERE edge.parent = cancelled.parent AND edge.child = cancelled.seq
      )
      SELECT pg_catalog.array_agg(seq) FROM cancelled INTO stopped;
      EXIT WHEN stopped IS NULL;
      total := total + pg_catalog.cardinality(stopped);
      EXIT WHEN is_behind;

      is_behind := true;
      -- Until all who wait for one of them are locked: before that new jobs can come to wait for them.
      LOOP
        WITH RECURSIVE behind (job) AS (
          SELECT pg_catalog.unnest(stopped)
          UNION SELECT edge.child FROM behind
          JOIN queuectl.dependencies AS edge ON edge.parent = behind.job
          CROSS JOIN LATERAL (SELECT state FROM queuectl.jobs WHERE seq = edge.child OFFSET 0) AS child
          WHERE edge.open AND edge.kind = 'success' AND child.state IN ('pending', 'failed')
        )
        SELECT pg_catalog.array_agg(job) FROM behind INTO ended;
        SELECT pg_catalog.array_agg(child ORDER BY child)
        FROM (SELECT DISTINCT child FROM queuectl.dependencies WHERE parent = ANY (ended) AND open) AS edges
        INTO children;
        EXIT WHEN children IS NULL OR children = locked;
        PERFORM 1 FROM queuectl.jobs WHERE seq = ANY (children) ORDER BY seq FOR NO KEY UPDATE;
        locked := children;
      END LOOP;
    END LOOP;
    IF freed > 0 THEN
      PERFORM pg_notify(channel, sender);
    END IF;
    RETURN total;
  END $settle$;
`;
