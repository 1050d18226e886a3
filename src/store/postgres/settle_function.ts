/** The function that settles dependencies in the server: in one round trip with what ends the jobs. */

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
  LANGUAGE plpgsql AS $settle$
  DECLARE
    children bigint[];
    closed bigint[];
    reasons text[];
    parents bigint[];
    stopped bigint[];
    freed bigint := 0;
    total bigint := 0;
    more bigint;
  BEGIN
    LOOP
      -- Asked first: an UPDATE that finds nothing costs more.
      EXIT WHEN NOT EXISTS (SELECT 1 FROM queuectl.dependencies WHERE parent = ANY (ended) AND open);
      -- By their keys before their states: there is an index on these too, and statistics are often wrong.
      WITH parent AS MATERIALIZED (SELECT seq, id, state FROM queuectl.jobs WHERE seq = ANY (ended)),
      edges AS (
        UPDATE queuectl.dependencies AS edge SET open = false FROM parent
        WHERE edge.open AND parent.seq = edge.parent AND parent.state IN ('completed', 'dead', 'cancelled')
        RETURNING edge.parent, edge.child, CASE WHEN edge.kind = 'success' AND parent.state <> 'completed'
          THEN 'Job "' || parent.id || '" that it waits for is ' || parent.state END AS reason
      ),
      counted AS (
        SELECT child, count(*) AS n, min(parent) FILTER (WHERE reason IS NOT NULL) AS first FROM edges GROUP BY child
      )
      SELECT array_agg(counted.child), array_agg(counted.n), array_agg(edges.reason), array_agg(edges.parent)
      INTO children, closed, reasons, parents
      FROM counted LEFT JOIN edges ON edges.child = counted.child AND edges.parent = counted.first;
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
        FROM unnest(children, reasons) AS each (child, reason)
        WHERE job.seq = each.child AND each.reason IS NOT NULL AND job.state IN ('pending', 'failed')
        RETURNING job.seq
      )
      SELECT array_agg(seq) FROM cancelled INTO stopped;
      EXIT WHEN stopped IS NULL;
      total := total + cardinality(stopped);
      UPDATE queuectl.dependencies AS edge SET broken = true FROM unnest(children, parents) AS each (child, parent)
      WHERE edge.parent = each.parent AND edge.child = each.child AND each.child = ANY (stopped);
      ended := stopped;
    END LOOP;
    IF freed > 0 THEN
      PERFORM pg_notify(channel, sender);
    END IF;
    RETURN total;
  END $settle$;
`;
