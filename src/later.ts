/**
 * The specifier of a module that is not looked at before it is imported. A plain text in `import()` makes Deno read that
 * module, and all that it imports, at every start: for all of the program four of the 31 ms that an `enqueue` takes, and
 * for the commands that are not asked for a tenth of the processor time of any other.
 * Compiling (tests/compile.ts) looks for these calls and takes them away.
 */
export const later = (specifier: string): string => specifier;
