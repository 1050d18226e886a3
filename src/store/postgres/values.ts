/** Text as PostgreSQL can keep it: it has no place for the NUL character, nor for half of a character. Pure. */

/** The text; what cannot be kept is shown as `␀` and `�`. New jobs have none of it, outputs of commands may. */
export const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "␀");

/** Rows as one JSON parameter, of any number: one text for the statement, whose plan is made once. */
export const asJson = (rows: readonly unknown[]): string => JSON.stringify(rows);

/** Numbers as an array parameter. */
export const asArray = (numbers: readonly number[]): string => `{${numbers.join(",")}}`;
