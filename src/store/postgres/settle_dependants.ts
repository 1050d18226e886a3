/** What becomes of dependants when jobs end. */

import { timeSql } from "./clock.ts";
import type { Database, Statement } from "./connection/database.ts";
import { asArray } from "./values.ts";

/** Has the dependencies on those of these jobs that have ended settled; see settle_function.ts. Done twice it is as once. */
export function settleStatement(database: Database, jobs: readonly number[]): Statement {
  return {
    text: `SELECT queuectl.settle($1::bigint[], ${timeSql("$2")}, $3::text, $4::text) AS cancelled`,
    parameters: [asArray([...new Set(jobs)]), database.now(), database.options.schema, database.sender],
  };
}
