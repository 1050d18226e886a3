/**
 * Where the server looks for names that have no schema: operators, functions and types. Its own come first and nobody
 * else's ever: any role may have made one in `public` that fits the types of an expression better, which would be run with
 * the rights of whoever evaluates it.
 */
export const searchPath = "pg_catalog, pg_temp";

/** What every function of ours is made with: also who calls it by hand is safe. It costs a call 4 µs. */
export const safePath = `SET search_path = ${searchPath}`;
