/**
 * The specifier of a module that Deno is not to read before it is imported. A plain text in `import()` makes Deno read that
 * module, and all that it imports, at every start from source. So the few doors to large parts of the program that most
 * starts do not need are opened with this: the worker, the parser with all commands, PostgreSQL, and what a store does
 * besides adding jobs. Compiling (tests/compile.ts) looks for these calls and takes them away.
 */
export const lazy = (specifier: string): string => specifier;
