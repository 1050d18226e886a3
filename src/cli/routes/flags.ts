/** What commands have in common: how flags and arguments are declared, and the flags that many have. */

/** A flag with a value. It is taken as text and checked by the command, which has the words to explain it. */
export const value = (placeholder: string, brief: string) =>
  ({ kind: "parsed", parse: String, optional: true, placeholder, brief }) as const;

/** A flag that is given or not. */
export const given = (brief: string) =>
  ({ kind: "boolean", optional: true, withNegated: false, brief }) as const;

/** An argument, as text. */
export const argument = (placeholder: string, brief: string) =>
  ({ parse: String, placeholder, brief }) as const;

/** `--json` of commands that print data. */
export const json = given("Print JSON");

/** `--limit N` of commands that list jobs. */
export const limit = value("N", "Show the newest N jobs [default 1000]");
