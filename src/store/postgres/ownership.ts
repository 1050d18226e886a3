/**
 * To whom a schema belongs, and what others have made in it: a trigger, a rule or a policy of somebody else runs what they
 * like with the rights of whoever uses the queue, and who owns a schema or a table can make one at any time.
 */

import { SharedDatabaseError } from "../errors.ts";
import { text } from "../rows.ts";
import type { Database, Row, Statement } from "./connection/database.ts";

/** Triggers of ours are called as their function, but for those of a move; one with a condition would run that. */
const isOurTrigger = `tgqual IS NULL AND (tgname = proname AND relname = 'jobs'
  AND proname IN ('count_insert', 'count_update', 'count_delete') OR tgname = 'moving' AND proname = 'refuse_change')`;

/**
 * Whether the schema has a queue (`there`), whether all that matters is the user's own and nothing else was made (`own`), and
 * whether the server tells who it is (`telling`): what is so for most users is told by one quick look, which an `enqueue`
 * waits for.
 */
export const lookStatement = (schema: string): Statement => ({
  text: `SELECT coalesce(bool_or(relname = 'queue'), false) AS there,
      NOT coalesce(bool_or(
        pg_get_userbyid(relowner) <> current_user OR relhasrules OR relrowsecurity
        OR relhastriggers AND EXISTS (
          SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = pg_class.oid AND NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_proc WHERE pg_proc.oid = tgfoid AND pronamespace = relnamespace
              AND pg_get_userbyid(proowner) = current_user AND ${isOurTrigger}
          )
        )
      ), false)
      AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1 AND pg_get_userbyid(nspowner) <> current_user
      )
      AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_proc WHERE proname = 'settle'
          AND pronamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
          AND pg_get_userbyid(proowner) <> current_user
      ) AS own,
      coalesce(has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE'), false) AS telling
    FROM pg_catalog.pg_class
    WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)`,
  parameters: [schema],
});

/**
 * Rows of all that belongs to others than the user, roles that the user is a member of, the owner of the database and
 * superusers; and of triggers, rules and policies that are not ours. A superuser counts as a member of every role for
 * `pg_has_role`, so memberships are looked up.
 */
const strangersStatement = (schema: string): Statement => ({
  text: `
    WITH RECURSIVE space AS MATERIALIZED (
      SELECT oid, nspname, nspowner FROM pg_catalog.pg_namespace WHERE nspname = $1
    ),
    own (oid) AS (
      SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user
      UNION SELECT roleid FROM own JOIN pg_catalog.pg_auth_members ON member = own.oid
    ),
    trusted (oid) AS MATERIALIZED (
      SELECT oid FROM own
      UNION SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = 'pg_database_owner'
      UNION SELECT datdba FROM pg_catalog.pg_database WHERE datname = current_database()
    ),
    owned (kind, name, owner) AS (
      SELECT 'schema', nspname, nspowner FROM space
      UNION ALL SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' ELSE 'relation' END, relname, relowner
        FROM space JOIN pg_catalog.pg_class ON relnamespace = space.oid AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      UNION ALL SELECT 'function', proname, proowner
        FROM space JOIN pg_catalog.pg_proc ON pronamespace = space.oid
    )
    SELECT kind, name::text, pg_get_userbyid(owner)::text AS place FROM owned
      WHERE owner NOT IN (SELECT oid FROM trusted)
    UNION ALL SELECT 'trigger', tgname, relname
      FROM space JOIN pg_catalog.pg_class AS c ON relnamespace = space.oid
      JOIN pg_catalog.pg_trigger ON tgrelid = c.oid JOIN pg_catalog.pg_proc AS f ON f.oid = tgfoid
      WHERE NOT tgisinternal AND NOT (pronamespace = space.oid AND ${isOurTrigger})
    UNION ALL SELECT 'rule', rulename, relname
      FROM space JOIN pg_catalog.pg_class AS c ON relnamespace = space.oid
      JOIN pg_catalog.pg_rewrite ON ev_class = c.oid WHERE relkind IN ('r', 'p')
    UNION ALL SELECT 'policy', polname, relname
      FROM space JOIN pg_catalog.pg_class AS c ON relnamespace = space.oid JOIN pg_catalog.pg_policy ON polrelid = c.oid`,
  parameters: [schema],
});

/** What {@link strangers} finds, in words. */
function describe(row: Row): string {
  const [kind, name, place] = [text(row, "kind"), text(row, "name"), text(row, "place")];
  return ["trigger", "rule", "policy"].includes(kind)
    ? `${kind} "${name}" on table "${place}" is not one of queuectl's`
    : `${kind} "${name}" belongs to role "${place}"`;
}

type Ask = (statement: Statement) => Promise<Row[]>;

/** All that others own in the schema or have made in it, in words. */
export async function strangers(ask: Ask, schema: string): Promise<string[]> {
  return (await ask(strangersStatement(schema))).map(describe);
}

/** Throws {@link SharedDatabaseError} where there is something. */
export async function refuseStrangers(ask: Ask, { options }: Database): Promise<void> {
  const parts = await strangers(ask, options.schema);
  if (parts.length > 0) throw new SharedDatabaseError(options.location, options.schema, parts);
}
