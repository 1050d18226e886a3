/**
 * Operators and functions in `public` that look like those of PostgreSQL: what each does is the same, and it counts its
 * calls. A server takes them wherever their types fit better than those of its own.
 */

/** What statements use: operators on two values. */
const operators = ["+", "-", "*", "/", "%", "=", "<>", "<", ">", "<=", ">=", "||", "&"];

const types = [
  "smallint",
  "integer",
  "bigint",
  "numeric",
  "real",
  "double precision",
  "text",
  "varchar",
  "name",
  "boolean",
  "uuid",
  "oid",
  "bytea",
  "interval",
  "timestamptz",
  "json",
  "jsonb",
  "bigint[]",
  "text[]",
];

const list = (texts: readonly string[]) => `ARRAY[${texts.map((text) => `'${text}'`).join(", ")}]`;

/** A call of one is counted, also where all of its transaction is undone; where nothing may be written it is an error. */
const counted = `IF current_setting(''transaction_read_only'') = ''on'' THEN
    RAISE EXCEPTION ''a look-alike was called: %'', %L;
  END IF;
  PERFORM nextval(''public.look_alike_calls'');
  INSERT INTO public.look_alikes VALUES (%L);`.replaceAll("was called: %", "was called: %%");

/**
 * Makes them as `role`, which has to be able to make something in `public`: every operator between two of the types for
 * which the server has none of just these, functions that take any type, and a type to which whole numbers are cast.
 */
export const makeLookAlikes = (role: string): string => `
  SET ROLE ${role};
  CREATE SEQUENCE public.look_alike_calls;
  CREATE TABLE public.look_alikes (name text);
  GRANT ALL ON SEQUENCE public.look_alike_calls TO public;
  GRANT ALL ON public.look_alikes TO public;
  DO $make$
  DECLARE
    first text;
    second text;
    operator text;
    result text;
    signature text;
    number integer := 0;
  BEGIN
    PERFORM set_config('search_path', 'pg_catalog', true);
    FOREACH first IN ARRAY ${list(types)} LOOP FOREACH second IN ARRAY ${list(types)} LOOP
      FOREACH operator IN ARRAY ${list(operators)} LOOP
        CONTINUE WHEN EXISTS (SELECT 1 FROM pg_operator WHERE oprname = operator
          AND oprleft = first::regtype AND oprright = second::regtype);
        BEGIN
          EXECUTE format('SELECT pg_typeof(NULL::%s %s NULL::%s)', first, operator, second) INTO result;
        EXCEPTION WHEN OTHERS THEN
          CONTINUE;
        END;
        number := number + 1;
        signature := format('%s %s %s', first, operator, second);
        EXECUTE format('CREATE FUNCTION public.look_alike_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN
          ${counted} RETURN $1 OPERATOR(pg_catalog.%s) $2; END $f$',
          number, first, second, result, signature, signature, operator);
        EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.look_alike_%s, LEFTARG = %s, RIGHTARG = %s)',
          operator, number, first, second);
      END LOOP;
    END LOOP; END LOOP;
    ${
  [
    ["cardinality", "bigint[]", "integer"],
    ["cardinality", "text[]", "integer"],
    ["array_length", "bigint[], integer", "integer"],
    ["to_json", "text", "json"],
    ["pg_typeof", "bigint", "regtype"],
  ].map(([name, parameters, result]) => {
    const values = parameters.split(", ").map((_, index) => `$${index + 1}`).join(", ");
    return `
    EXECUTE format('CREATE FUNCTION public.${name}(${parameters}) RETURNS ${result} LANGUAGE plpgsql AS $f$ BEGIN
      ${counted} RETURN pg_catalog.${name}(${values}); END $f$', '${name}(${parameters})', '${name}(${parameters})');`;
  }).join("")
}
    ${
  ["bigint[]", "text[]"].map((array) => {
    const element = array.slice(0, -2);
    return `
    EXECUTE format('CREATE FUNCTION public.unnest(${array}) RETURNS SETOF ${element} LANGUAGE plpgsql AS $f$ BEGIN
      ${counted} RETURN QUERY SELECT pg_catalog.unnest($1); END $f$', 'unnest(${array})', 'unnest(${array})');
    EXECUTE format('CREATE FUNCTION public.look_alike_append(${array}, ${element}) RETURNS ${array} LANGUAGE plpgsql
      AS $f$ BEGIN ${counted} RETURN pg_catalog.array_append($1, $2); END $f$',
      'array_agg(${element})', 'array_agg(${element})');
    CREATE AGGREGATE public.array_agg(${element}) (SFUNC = public.look_alike_append, STYPE = ${array});`;
  }).join("")
}
    CREATE TYPE public.amount AS (value numeric);
    EXECUTE format('CREATE FUNCTION public.amount(bigint) RETURNS public.amount LANGUAGE plpgsql AS $f$ BEGIN
      ${counted} RETURN ROW($1)::public.amount; END $f$', 'cast of bigint', 'cast of bigint');
    CREATE CAST (bigint AS public.amount) WITH FUNCTION public.amount(bigint) AS IMPLICIT;
    EXECUTE format('CREATE FUNCTION public.add(public.amount, public.amount) RETURNS numeric LANGUAGE plpgsql AS $f$ BEGIN
      ${counted} RETURN $1.value OPERATOR(pg_catalog.+) $2.value; END $f$', 'amount + amount', 'amount + amount');
    CREATE OPERATOR public.+ (FUNCTION = public.add, LEFTARG = public.amount, RIGHTARG = public.amount);
  END $make$;
  RESET ROLE;
`;
