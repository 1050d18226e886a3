import assert from "node:assert/strict";
import { readGlobalFlags } from "../../src/cli/parser/global_flags.ts";

Deno.test("--db is taken from anywhere before --, --% is dropped, help is --help", () => {
  const cases: Array<[string[], string[], string | undefined]> = [
    [[], [], undefined],
    [["--db", "a.db", "list"], ["list"], "a.db"],
    [["list", "--db=a.db", "--json"], ["list", "--json"], "a.db"],
    [["list", "--db=-a"], ["list"], "-a"],
    [["enqueue", "--%", "{}"], ["enqueue", "{}"], undefined],
    [["dlq", "retry", "--", "--db", "--%"], ["dlq", "retry", "--", "--db", "--%"], undefined],
    [["help"], ["--help"], undefined],
    [["help", "worker", "start"], ["worker", "start", "--help"], undefined],
  ];
  for (const [given, args, db] of cases) {
    assert.deepEqual(readGlobalFlags(given), {
      args,
      db,
      allowed: { allowShared: false, allowLinked: false },
    });
  }
});

Deno.test("--allow-shared-db and --allow-linked-db are taken from anywhere before --", () => {
  const nothing = { allowShared: false, allowLinked: false };
  for (
    const [flag, allowed] of [["shared", { allowShared: true }], ["linked", { allowLinked: true }]] as const
  ) {
    const word = `--allow-${flag}-db`;
    for (const given of [[word, "list"], ["list", word]]) {
      const line = { args: ["list"], db: undefined, allowed: { ...nothing, ...allowed } };
      assert.deepEqual(readGlobalFlags(given), line);
    }
    assert.deepEqual(readGlobalFlags(["cancel", "--", word]).allowed, nothing);
  }
});

Deno.test("a flag without its value is refused", () => {
  const cases: Array<[string[], RegExp]> = [
    [["list", "--db"], /--db needs a value/],
    [["list", "--db", ""], /--db needs a value/],
    [["list", "--db="], /--db needs a value/],
    [["list", "--db", "--json"], /--db needs a value/],
    [["--db=a", "--db=b"], /--db is given twice/],
    [["list", "--state="], /--state needs a value/],
    [["list", "--x"], /Unknown flag "--x"/],
  ];
  for (const [given, message] of cases) {
    assert.throws(() => readGlobalFlags(given), { code: "usage", message });
  }
});
