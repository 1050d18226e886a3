/** The dependency rule of .github/ARCHITECTURE.md, read off the imports. */

import assert from "node:assert/strict";

const source = new URL("../src/", import.meta.url);

/** Every file of the source: its path below src/ and its text. */
const files = [...walk("")].map((path) => ({ path, text: Deno.readTextFileSync(new URL(path, source)) }));

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder || ".", source))) {
    if (isDirectory) yield* walk(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

/** The files below src/ that a file imports, at once or later. */
function imports({ path, text }: { path: string; text: string }): string[] {
  const specifiers = [...text.matchAll(/(?:from|import\()\s*"(\.{1,2}\/[^"]+\.ts)"/g)].map((match) =>
    match[1]
  );
  return specifiers.map((specifier) =>
    new URL(specifier, new URL(path, source)).href.slice(source.href.length)
  );
}

/** From top to bottom: what is in a folder, or is a file of its own here, imports only what is in it or further down. */
const order = [
  "main.ts",
  "cli/app.ts",
  "cli/parser",
  "cli/routes",
  "cli/commands",
  "cli/follow",
  "cli/arguments",
  "cli",
  "cli/output",
  "worker",
  "worker/manager",
  "worker/lease",
  "worker/run",
  "worker/spool",
  "worker/host",
  "worker/host/windows",
  "store/open.ts",
  "store/postgres",
  "store/postgres/connection",
  "store/sqlite",
  "store/operations",
  "store",
  "job",
  "base",
];

/** Where a file stands in that order. */
function placeOf(path: string): number {
  const own = order.indexOf(path);
  return own < 0 ? order.indexOf(path.slice(0, path.lastIndexOf("/"))) : own;
}

Deno.test("imports point down, from folder to folder", () => {
  assert.deepEqual(files.filter(({ path }) => placeOf(path) < 0).map(({ path }) => path), []);
  const wrong = files.flatMap((file) =>
    imports(file).filter((target) => placeOf(target) < placeOf(file.path))
      .map((target) => `${file.path} imports ${target}`)
  );
  assert.deepEqual(wrong, []);
});

/** The files that match, without those that may. */
function matching(pattern: RegExp, ...permitted: string[]): string[] {
  return files.filter(({ path, text }) => pattern.test(text) && !permitted.includes(path)).map(({ path }) =>
    path
  );
}

Deno.test("only store/open.ts names a driver", () => {
  for (const driver of ["store/sqlite/", "store/postgres/"]) {
    const outside = files.filter(({ path }) => !path.startsWith(driver) && path !== "store/open.ts");
    const naming = outside.filter((file) => imports(file).some((target) => target.startsWith(driver)));
    assert.deepEqual(naming.map(({ path }) => path), [], driver);
  }
});

Deno.test("only one file of its driver names the PostgreSQL client, and drivers are loaded when they are used", () => {
  assert.deepEqual(matching(/(?:from|import\() ?"postgres"/, "store/postgres/connection/session.ts"), []);
  const open = files.find(({ path }) => path === "store/open.ts")!;
  assert.doesNotMatch(open.text, /from "\.\/(?:sqlite|postgres)\//);
});

Deno.test("what is said goes through the one printer that makes it harmless", () => {
  // `print` and `printAll` are for JSON, tables and what commands print.
  assert.deepEqual(matching(/\bprint(?:All)?\(\s*`(?!\$\{json\()[^`]*\$\{/), []);
  assert.deepEqual(matching(/\bconsole\.\w+\(/), []);
});

Deno.test("only the one file of each system that knows them calls its functions", () => {
  assert.deepEqual(matching(/Deno\.dlopen\(/, "worker/host/windows/libraries.ts"), []);
});

Deno.test("only six files start processes, and only main.ts exits", () => {
  const starters = [
    "manager/worker_process",
    "run/shell_runner",
    "host/processes",
    "host/first_process",
    "spool/spool_output",
  ].map((name) => `worker/${name}.ts`);
  assert.deepEqual(matching(/new Deno\.Command\(/, ...starters, "store/sqlite/second_names.ts"), []);
  assert.deepEqual(matching(/\.CreateProcessW\(/, "worker/host/windows/start_process.ts"), []);
  assert.deepEqual(matching(/Deno\.exit\(/, "main.ts"), []);
});

Deno.test("the command line loads no driver, no schema library and no worker at once", () => {
  const atOnce = new Set<string>();
  const visit = (path: string) => {
    if (atOnce.has(path)) return;
    atOnce.add(path);
    const { text } = files.find((file) => file.path === path)!;
    const eager = [...text.matchAll(/^(?:import|export) (?!type)[^;]*?from "(\.{1,2}\/[^"]+\.ts)"/gm)];
    for (const [, specifier] of eager) {
      visit(new URL(specifier, new URL(path, source)).href.slice(source.href.length));
    }
  };
  visit("cli/app.ts");
  const heavy = [...atOnce].filter((path) => /^(store|worker)\/|new_job|^cli\/commands\//.test(path));
  assert.deepEqual(heavy, []);
});

Deno.test("no imports go round in a circle", () => {
  const targets = new Map(files.map((file) => [file.path, imports(file)]));
  const done = new Set<string>();
  const circles: string[] = [];
  function follow(path: string, way: readonly string[]): void {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" → "));
    else if (!done.has(path)) {
      for (const target of targets.get(path) ?? []) follow(target, [...way, path]);
      done.add(path);
    }
  }
  for (const path of targets.keys()) follow(path, []);
  assert.deepEqual(circles, []);
});
