/** `list`: states, filters, orders, columns and pages. */

import assert from "node:assert/strict";
import { cursorOf, type Page, pageOf } from "../../src/cli/arguments/pagination.ts";
import { sortFields } from "../../src/store/job_filter.ts";
import { type ProgramSubject, programTest } from "../helpers/program_test.ts";
import { told } from "../store/suite/harness.ts";

const lines = (...jobs: Array<Record<string, unknown>>) => jobs.map((job) => JSON.stringify(job)).join("\n");

async function listed(test: ProgramSubject, ...flags: string[]): Promise<string[]> {
  const { code, stdout } = await test.run(["list", "--json", "--columns", "id", ...flags]);
  assert.equal(code, 0);
  return JSON.parse(stdout).map(({ id }: { id: string }) => id);
}

programTest("list takes several states, a text and a time, and sorts", async (test) => {
  await test.run(
    ["enqueue", "-"],
    lines(
      { id: "nightly", command: "make Backup", priority: 2 },
      { id: "weekly", command: "make report", priority: 1 },
      { id: "BACKUP-2", command: "true" },
    ),
  );
  await test.run(["cancel", "weekly"]);
  assert.deepEqual(await listed(test, "--state", "pending,cancelled"), ["nightly", "weekly", "BACKUP-2"]);
  assert.deepEqual(await listed(test, "--state", "cancelled", "--state", "dead"), ["weekly"]);
  assert.deepEqual(await listed(test, "--state", "waiting"), ["nightly", "BACKUP-2"]);
  assert.deepEqual(await listed(test, "--state", "scheduled"), []);
  assert.deepEqual(await listed(test, "--search", "backup"), ["nightly", "BACKUP-2"]);
  assert.deepEqual(await listed(test, "--since", "1h"), ["nightly", "weekly", "BACKUP-2"]);
  assert.deepEqual(await listed(test, "--since", "2999-01-01"), []);
  assert.deepEqual(await listed(test, "--older-than", "1h"), []);
  assert.deepEqual(await listed(test, "--sort", "id"), ["BACKUP-2", "nightly", "weekly"]);
  assert.deepEqual(await listed(test, "--sort", "priority,desc", "--limit", "2"), ["nightly", "weekly"]);
});

programTest("list --columns shows those, in that order, also in JSON", async (test) => {
  await test.run(["enqueue", '{"id": "a", "command": "x", "env": {"K": "1"}, "timeout": 90}']);
  const { stdout } = await test.run(["list", "--columns", "command,priority,due,timeout,env,error"]);
  assert.deepEqual(stdout.split("\n").filter((line) => !line.startsWith("---")), [
    `${"COMMAND".padEnd(40)} | PRIORITY | ${"DUE".padEnd(20)} | TIMEOUT | ${
      "ENVIRONMENT".padEnd(30)
    } | LAST ERROR`,
    `${"x".padEnd(40)} |        0 | ${"-".padEnd(20)} |     90s | ${"K=1".padEnd(30)} |`,
    "",
  ]);
  const json = await test.run(["list", "--json", "--columns", "state,created_at,id"]);
  assert.deepEqual(Object.keys(JSON.parse(json.stdout)[0]), ["state", "created_at", "id"]);
});

programTest("pages of a list follow one another by their cursors, in any order", async (test) => {
  const ids = ["d", "é", "a", "c", "b"];
  await test.run(["enqueue", "-"], lines(...ids.map((id, priority) => ({ id, command: "x", priority }))));
  const orders: Array<[string[], string[]]> = [
    [[], ["c", "b", "é", "a", "d"]],
    [["--sort", "id"], ["a", "b", "c", "d", "é"]],
    [["--sort", "priority,desc"], ["b", "c", "a", "é", "d"]],
  ];
  for (const [sort, expected] of orders) {
    const pages: string[] = [];
    let flags = sort;
    for (;;) {
      const args = ["list", "--json", "--columns", "id", "--limit", "2", ...flags];
      const { stdout, stderr } = await test.run(args);
      pages.push(...JSON.parse(stdout).map(({ id }: { id: string }) => id));
      const cursor = /^Showing the .* Next page: --cursor (\S+)\n$/.exec(stderr)?.[1];
      const page = await test.run([...args, "--with-cursor"]);
      assert.deepEqual([page.code, page.stderr], [0, ""]);
      assert.deepEqual(JSON.parse(page.stdout), { next_cursor: cursor ?? null, jobs: JSON.parse(stdout) });
      if (cursor === undefined) break;
      flags = ["--cursor", cursor];
    }
    assert.deepEqual(pages, expected);
  }
});

programTest("what a list does not show is told behind it, in the words of its page", async (test) => {
  await test.run(["enqueue", "-"], lines(...["a", "b", "c", "d"].map((id) => ({ id, command: "x" }))));
  const cases: Array<[flags: string[], note: RegExp | null]> = [
    [["--limit", "2"], /^Showing the newest 2 jobs; use --limit to see more\. Next page: --cursor 3\n$/],
    [["--limit", "1"], /^Showing the newest job; use --limit to see more\. Next page: --cursor 4\n$/],
    [["--limit", "1", "--cursor", "4"], /^Showing the next job; /],
    [["--limit", "2", "--cursor", "4"], /^Showing the next 2 jobs; /],
    [["--limit", "1", "--sort", "id"], /^Showing the first job; /],
    [["--limit", "2", "--sort", "id,desc"], /^Showing the first 2 jobs; /],
    [["--limit", "2", "--json"], /^Showing the newest 2 jobs; /],
    [["--limit", "2", "--cursor", "3"], null],
  ];
  for (const [flags, note] of cases) {
    const { stderr } = await test.run(["list", ...flags]);
    if (note) assert.match(stderr, note);
    else assert.equal(stderr, "");
  }
  assert.deepEqual(await listed(test, "--sort", "-id"), ["d", "c", "b", "a"]);
  assert.deepEqual(await listed(test, "--sort=-id"), ["d", "c", "b", "a"]);
});

programTest("list --all has every job, more than are read at once", async (test) => {
  const count = 2500;
  await test.run(
    ["enqueue", "-"],
    lines(...Array.from({ length: count }, (_, id) => ({ id: `job-${id}`, command: "x" }))),
  );
  const ids = Array.from({ length: count }, (_, id) => `job-${id}`);
  assert.deepEqual(await listed(test, "--all"), ids);
  assert.deepEqual(await listed(test, "--all", "--sort", "created,desc"), ids.toReversed());
  const page = await test.run(["list", "--json", "--with-cursor", "--limit", "2000", "--sort", "id"]);
  const { next_cursor, jobs } = JSON.parse(page.stdout);
  assert.deepEqual([jobs.length, page.stderr], [2000, ""]);
  assert.deepEqual(await listed(test, "--cursor", next_cursor), ids.toSorted().slice(2000));
  const cut = await test.run(["list", "--limit", "2000"]);
  assert.equal(cut.stdout.split("\n").length, 2003);
  assert.match(cut.stderr, /^Showing the newest 2000 jobs; .* Next page: --cursor \d+\n$/);
  assert.match(cut.stdout, /^job-500 /m);
  assert.doesNotMatch(cut.stdout, /^job-499 /m);
});

programTest("what list does not know is told in one line, with what was perhaps meant", async (test) => {
  const cases: Array<[string[], RegExp]> = [
    [["--state", "pending,waitin"], /^Unknown state "waitin" \(did you mean "waiting"\?\)/],
    [["--columns", "id,comand"], /^Unknown column "comand" \(did you mean "command"\?\)\. Columns are: id, /],
    [["--sort", "prority"], /^Jobs cannot be sorted by "prority" \(did you mean "priority"\?\), only by: /],
    [["--sort", "-id,asc"], /^Flag --sort takes FIELD, or FIELD,desc, not "-id,asc"$/],
    [["--sort", "id,down"], /^Flag --sort takes FIELD, or FIELD,desc, not "id,down"$/],
    [
      ["--since", "tomorrow"],
      /^Flag --since takes a duration like 2h or 7d, or a time like 2026-11-24T10:00/,
    ],
    [["--since", "2026-02-30"], /^Flag --since takes/],
    [["--search="], /^Flag --search needs a value/],
    [["--all", "--limit", "3"], /^Flag --all .* cannot be given with --limit or --cursor$/],
    [["--with-cursor"], /^Flag --with-cursor goes with --json$/],
    [["--cursor", "é"], /^There is no such cursor: "é"/],
    [["--cursor", "bm9uZQ"], /^There is no such cursor: "bm9uZQ"/],
    [["--cursor", "12", "--sort", "id"], /^The cursor is that of a list in another order; leave out --sort$/],
  ];
  for (const [flags, message] of cases) {
    const { code, stdout, stderr } = await test.run(["list", ...flags]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" }, flags.join(" "));
    assert.match(stderr, /^[^\n]+\n$/);
    assert.match(stderr.trimEnd(), message);
  }
  await test.assertUntouched();
});

Deno.test("a cursor gives back the place and the order it was made of", () => {
  for (const by of sortFields) {
    for (const descending of [true, false]) {
      const value = by === "id" ? "é😀 'x'" : by === "state" ? "dead" : 7;
      const page: Page = { limit: 5, sort: { by, descending }, after: { value, seq: 7 } };
      const cursor = cursorOf(page.after!, page.sort);
      assert.match(cursor, /^[\w-]+$/);
      assert.deepEqual(pageOf({ limit: "5", cursor }), page);
    }
  }
  for (const wrong of ["", "0x1", btoa("[]"), btoa('["id",true,1,2]'), btoa("null"), "9".repeat(20)]) {
    assert.throws(() => pageOf({ cursor: wrong }), told("usage", "no such cursor"));
  }
});
