/** How jobs are counted: triggers of the schema, whose invariants schema.ts states. */

import { safePath } from "./connection/safe_path.ts";

/** All states, as columns. */
export const states = ["pending", "processing", "completed", "failed", "dead", "cancelled"];

/** How many rows the counters are spread over. */
const shards = 32;

const sums = states.map((state) =>
  `coalesce(sum(n) FILTER (WHERE state = '${state}'), 0::numeric)::bigint AS ${state}`
);
const additions = [...states, "died"].map((name) => `${name} = c.${name} + change.${name}`);

/** Adds what one statement has changed; `moved` gives states with +1 and -1. */
const count = (moved: string) => `
  UPDATE queuectl.counters AS c SET ${additions.join(", ")}
  FROM (
    SELECT ${sums.join(", ")},
      greatest(coalesce(sum(n) FILTER (WHERE state = 'dead'), 0::numeric), 0::numeric)::bigint AS died
    FROM (SELECT state, sum(n) AS n FROM (${moved}) AS each GROUP BY state HAVING sum(n) <> 0) AS net
    HAVING count(*) > 0
  ) AS change
  WHERE c.shard = pg_backend_pid() % ${shards};
`;

/** Adds it to the counters of every queue but "default". */
const countByQueue = (moved: string) => `
  INSERT INTO queuectl.queue_counters AS c (queue, shard, ${states.join(", ")})
  SELECT queue, pg_backend_pid() % ${shards}, ${sums.join(", ")}
  FROM (
    SELECT queue, state, sum(n) AS n FROM (${moved}) AS each WHERE queue <> 'default'
    GROUP BY queue, state HAVING sum(n) <> 0
  ) AS net
  GROUP BY queue
  ON CONFLICT (queue, shard) DO UPDATE SET ${
  states.map((state) => `${state} = c.${state} + excluded.${state}`).join(", ")
};
`;

const countFunction = (event: string, moved: (columns: string) => string) => `
  CREATE FUNCTION queuectl.count_${event}() RETURNS trigger LANGUAGE plpgsql ${safePath} AS $count$
  BEGIN
    ${count(moved("state"))}
    ${countByQueue(moved("queue, state"))}
    RETURN NULL;
  END $count$;
`;

const trigger = (event: string, tables: string) => `
  CREATE TRIGGER count_${event} AFTER ${event} ON queuectl.jobs REFERENCING ${tables}
    FOR EACH STATEMENT EXECUTE FUNCTION queuectl.count_${event}();
`;

/** The counters, and the triggers that keep them: for all queues together and for every one but "default". */
export const counting = `
  CREATE TABLE queuectl.counters (
    shard integer PRIMARY KEY,
    ${[...states, "died"].map((name) => `${name} bigint NOT NULL DEFAULT 0`).join(", ")}
  ) WITH (fillfactor = 25, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
  INSERT INTO queuectl.counters (shard) SELECT generate_series(0, ${shards - 1});
  ${countFunction("insert", (columns) => `SELECT ${columns}, 1 AS n FROM new_jobs`)}
  ${countFunction("delete", (columns) => `SELECT ${columns}, -1 AS n FROM old_jobs`)}
  ${
  countFunction(
    "update",
    (columns) => `SELECT ${columns}, 1 AS n FROM new_jobs UNION ALL SELECT ${columns}, -1 FROM old_jobs`,
  )
}
  ${trigger("insert", "NEW TABLE AS new_jobs")}
  ${trigger("delete", "OLD TABLE AS old_jobs")}
  ${trigger("update", "OLD TABLE AS old_jobs NEW TABLE AS new_jobs")}
`;
