/** How jobs are counted: triggers of the schema, whose invariants schema.ts states. Released text is never changed. */

/** All states, as columns. */
export const states = ["pending", "processing", "completed", "failed", "dead", "cancelled"];

/** How many rows the counters are spread over. */
const shards = 32;

const sums = states.map((state) => `coalesce(sum(n) FILTER (WHERE state = '${state}'), 0) AS ${state}`);
const additions = [...states, "died"].map((name) => `${name} = c.${name} + change.${name}`);

/** Adds what one statement has changed; `moved` gives states with +1 and -1. */
const count = (moved: string) => `
  UPDATE queuectl.counters AS c SET ${additions.join(", ")}
  FROM (
    SELECT ${sums.join(", ")}, greatest(coalesce(sum(n) FILTER (WHERE state = 'dead'), 0), 0) AS died
    FROM (SELECT state, sum(n) AS n FROM (${moved}) AS each GROUP BY state HAVING sum(n) <> 0) AS net
    HAVING count(*) > 0
  ) AS change
  WHERE c.shard = pg_backend_pid() % ${shards};
`;

const trigger = (event: string, tables: string, moved: string) => `
  CREATE FUNCTION queuectl.count_${event}() RETURNS trigger LANGUAGE plpgsql AS $count$
  BEGIN
    ${count(moved)}
    RETURN NULL;
  END $count$;
  CREATE TRIGGER count_${event} AFTER ${event} ON queuectl.jobs REFERENCING ${tables}
    FOR EACH STATEMENT EXECUTE FUNCTION queuectl.count_${event}();
`;

/** The first step of the schema: the counters, and the triggers that keep them. */
export const countersTable = `
  CREATE TABLE queuectl.counters (
    shard integer PRIMARY KEY,
    ${[...states, "died"].map((name) => `${name} bigint NOT NULL DEFAULT 0`).join(", ")}
  ) WITH (fillfactor = 25, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
  INSERT INTO queuectl.counters (shard) SELECT generate_series(0, ${shards - 1});
  ${trigger("insert", "NEW TABLE AS new_jobs", "SELECT state, 1 AS n FROM new_jobs")}
  ${trigger("delete", "OLD TABLE AS old_jobs", "SELECT state, -1 AS n FROM old_jobs")}
  ${
  trigger(
    "update",
    "OLD TABLE AS old_jobs NEW TABLE AS new_jobs",
    "SELECT state, 1 AS n FROM new_jobs UNION ALL SELECT state, -1 FROM old_jobs",
  )
}
`;

const countQueuesOn = (event: string, moved: string) => `
  CREATE OR REPLACE FUNCTION queuectl.count_${event}() RETURNS trigger LANGUAGE plpgsql AS $count$
  BEGIN
    ${count(moved)}
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
    RETURN NULL;
  END $count$;
`;

/** The step with queues: the same functions, which also count for every queue. */
export const countQueues = `
  ${countQueuesOn("insert", "SELECT queue, state, 1 AS n FROM new_jobs")}
  ${countQueuesOn("delete", "SELECT queue, state, -1 AS n FROM old_jobs")}
  ${
  countQueuesOn(
    "update",
    "SELECT queue, state, 1 AS n FROM new_jobs UNION ALL SELECT queue, state, -1 FROM old_jobs",
  )
}
`;
