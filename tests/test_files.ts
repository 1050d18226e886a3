/** The files of tests, and which of them start the program. */

/** Paths of all files of tests in a folder, as `deno test` takes them. */
export function* testFiles(folder: string): Generator<string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* testFiles(`${folder}/${name}`);
    else if (name.endsWith(".test.ts")) yield `${folder}/${name}`;
  }
}

/**
 * Whether a file of tests, or a file of tests/ that it imports, names `QUEUECTL_TEST_PROGRAM` to have its value: without
 * that nothing can start the executable, so all others do the same with it and without.
 */
export function startsProgram(path: string): boolean {
  // Who asks only whether there is one starts nothing by that.
  return [...imported(path)].some((file) => /(?<!has\(")QUEUECTL_TEST_PROGRAM/.test(read(file)));
}

/** Files that start the program and run in the quick tier all the same: they are the main ways through it. */
const smoke = [
  "tests/cli/exit_status.test.ts",
  "tests/cli/help.test.ts",
  "tests/cli/list.test.ts",
  "tests/cli/run.test.ts",
  "tests/crash/lost.test.ts",
  "tests/worker/jobs.test.ts",
];

/** Files that start no program, but take their time. */
const slow = [
  "tests/store/large.test.ts",
  "tests/store/moving.test.ts",
  "tests/store/postgres/session.test.ts",
];

/** Whether `deno task test` runs a file; `deno task test:all` runs the rest too. */
export const isQuick = (path: string): boolean =>
  smoke.includes(path) || !startsProgram(path) && !slow.includes(path);

const texts = new Map<string, string>();

function read(path: string): string {
  const text = texts.get(path) ?? Deno.readTextFileSync(path);
  texts.set(path, text);
  return text;
}

/** A file and all that it imports or names to be imported or run, at once or later, but for what is in src/. */
function imported(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, specifier] of read(path).matchAll(/"(\.{1,2}\/[^"]+\.ts)"/g)) {
    const target = join(path, specifier);
    if (target.startsWith("tests/")) imported(target, found);
  }
  return found;
}

/** What a relative specifier means in a file. */
function join(path: string, specifier: string): string {
  const url = new URL(specifier, new URL(path, "file:///"));
  return decodeURIComponent(url.pathname.slice(1));
}
