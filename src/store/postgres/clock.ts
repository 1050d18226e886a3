/** The time in statements: that of the server, so that hosts whose clocks differ agree; in tests a parameter. */

/**
 * An SQL expression for the milliseconds since 1970: the parameter, or where it is null the server's clock. Before
 * version 14 `extract` gives no `numeric`.
 */
export const timeSql = (parameter: `$${number}`): string =>
  `coalesce(${parameter}::bigint, floor(extract(epoch FROM clock_timestamp())::numeric * 1000::numeric)::bigint)`;

/** A part of a `WITH` that has the time in its column `now`, the same for the whole statement. */
export const clockSql = (parameter: `$${number}`): string =>
  `clock AS MATERIALIZED (SELECT ${timeSql(parameter)} AS now)`;
