/** Tables that fit a terminal. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { widthFor } from "../../src/cli/output/cell_width.ts";
import { flexible, layOut, rowText, type TableColumn } from "../../src/cli/output/table_layout.ts";
import { fieldLines, fittedLine, fittedTable } from "../../src/cli/output/terminal_width.ts";
import { printable } from "../../src/base/printable.ts";

const widthOf = await widthFor(["日"]);

const uuid = "01a22033-7269-7f5c-8b40-54ba3d8cb0f6";
const jobs: TableColumn[] = [
  { title: "ID", ...flexible(24, 24) },
  { title: "QUEUE", ...flexible(8) },
  { title: "STATE" },
  { title: "ATTEMPTS", alignment: "right" },
  { title: "COMMAND", ...flexible(16, 8) },
];
const job = [uuid, "other", "processing", "12", "make -C /srv/project all"];

const linesOf = async (...[columns, rows, width, options]: Parameters<typeof fittedTable>) =>
  (await Array.fromAsync(fittedTable(columns, rows, width, options))).join("").trimEnd().split("\n");

Deno.test("a table is as wide as what is in it, and narrowed where that is too wide", async () => {
  const cases: Array<[number, string, string]> = [
    [
      100,
      `ID${" ".repeat(34)} | QUEUE | STATE      | ATTEMPTS | COMMAND`,
      `${uuid} | other | processing |       12 | make -C /srv/project all`,
    ],
    // The widest first, down to one width.
    [
      90,
      `ID${" ".repeat(29)} | QUEUE | STATE      | ATTEMPTS | COMMAND`,
      `${uuid.slice(0, 30)}… | other | processing |       12 | make -C /srv/project all`,
    ],
    // An id has 24, where the others can have less.
    [
      76,
      `ID${" ".repeat(22)} | QUEUE | STATE      | ATTEMPTS | COMMAND`,
      `${uuid.slice(0, 23)}… | other | processing |       12 | make -C /srv/pro…`,
    ],
    // Then titles, then all that may be cut.
    [
      71,
      `ID${" ".repeat(22)} | QUEUE | STATE      | ATT… | COMMAND`,
      `${uuid.slice(0, 23)}… | other | processing |   12 | make -C /srv/pr…`,
    ],
    [
      60,
      `ID${" ".repeat(22)} | QUE… | STATE      | ATT… | COMMA…`,
      `${uuid.slice(0, 23)}… | oth… | processing |   12 | make …`,
    ],
    // And at last the lines.
    [30, `ID${" ".repeat(22)} | QU…`, `${uuid.slice(0, 23)}… | ot…`],
  ];
  for (const [width, header, row] of cases) {
    assert.deepEqual(await linesOf(jobs, [job], width), [header, "-".repeat(Math.min(80, width)), row]);
  }
});

Deno.test("columns that say nothing are left out first, where the table is too wide", async () => {
  const columns = [{ title: "NAME", ...flexible(8) }, { title: "RATE" }, { title: "DEAD" }, {
    title: "TIMEOUT",
  }];
  const rows = [["default", "-", "0", "-"], ["media", "-", "0", "10s"]];
  assert.equal((await linesOf(columns, rows, 31, { leavesOut: true }))[0], "NAME    | RATE | DEAD | TIMEOUT");
  assert.equal((await linesOf(columns, rows, 30, { leavesOut: true }))[0], "NAME    | DEAD | TIMEOUT");
  assert.equal((await linesOf(columns, rows, 30))[0], "NAME    | RATE | DEAD | TIMEO…");
  assert.equal((await linesOf(columns, [], 20, { leavesOut: true }))[0], "NAME | RATE | DEAD …");
  // None says anything.
  assert.equal(
    (await linesOf(columns, [["-", "-", "-", "-"]], 20, { leavesOut: true }))[0],
    "NAME | RATE | DEAD …",
  );
});

Deno.test("the end is shown of a cell that says so, and wide characters take two cells", async () => {
  const columns: TableColumn[] = [
    { title: "COMMAND", ...flexible(10) },
    { title: "LAST ERROR", shows: "end", ...flexible(10) },
  ];
  assert.deepEqual(await linesOf(columns, [["日本語日本語", "first↵the reason"], ["x", "y"]], 25), [
    "COMMAND     | LAST ERROR",
    "-".repeat(25),
    "日本語日本… | …the reason",
    "x           | y",
  ]);
});

Deno.test("rows behind those that a table is laid out for are aligned, and not cut where there is room", async () => {
  const columns = jobs.map((column, index) => ({ ...column, usual: [36, 12, 10, 8, 40][index] }));
  async function* rows() {
    for (let at = 0; at < 1500; at++) yield [`${at}`, "default", "pending", "0", "true"];
    yield job;
    yield [uuid + uuid, "a".repeat(99), "pending", "0", "日".repeat(99)];
  }
  const lines = await linesOf(columns, rows(), 120);
  assert.equal(lines.length, 1504);
  assert.equal(lines[2], `0${" ".repeat(35)} | default      | pending    |        0 | true`);
  assert.equal(lines[1502], `${uuid} | other        | processing |       12 | make -C /srv/project all`);
  assert.match(lines[1503], /^01a\S{32}… \| a{11}… \| pending {4}\| {8}0 \| 日+…$/);
  assert.ok(widthOf(lines[1503]) <= 120);
});

/** Cells as a job may have them; no `|`, by which the property knows the columns. */
const cell = fc.oneof(
  fc.constant("-"),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 60 }),
).map((text) => printable(text).replaceAll("|", "/"));

const column: fc.Arbitrary<TableColumn> = fc.record({
  title: fc.string({ unit: fc.constantFrom("A", "B"), minLength: 1, maxLength: 11 }),
  alignment: fc.constantFrom(undefined, "right"),
  flexible: fc.constantFrom(undefined, flexible(16).flexible, flexible(24, 24).flexible),
  shows: fc.constantFrom(undefined, "end"),
});

const anyTable = fc.array(column, { minLength: 1, maxLength: 7 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.array(fc.tuple(...columns.map(() => cell)), { maxLength: 5 }),
    width: fc.integer({ min: 1, max: 200 }),
    leavesOut: fc.boolean(),
  })
);

Deno.test("no line is wider than the terminal, nothing is cut that fits, and all lines are aligned", async () => {
  await fc.assert(fc.asyncProperty(anyTable, async ({ columns, rows, width, leavesOut }) => {
    const lines = await linesOf(columns, rows, width, { leavesOut });
    assert.ok(lines.every((line) => widthOf(line) <= width), lines.join("\n"));

    const layout = layOut(columns, rows, { width, widthOf, isWhole: true, leavesOut });
    const texts = rows.map((row) => rowText(layout, row, widthOf));
    const separators = 3 * (columns.length - 1);
    const natural = columns.map(({ title }, at) =>
      Math.max(title.length, ...rows.map((row) => widthOf(row[at])))
    );
    if (natural.reduce((sum, one) => sum + one, separators) <= width) {
      assert.equal(layout.columns.length, columns.length);
      rows.forEach((row, at) => assert.ok(row.every((cell) => texts[at].includes(cell.trimEnd()))));
    }
    const used = layout.columns.reduce((sum, { width }) => sum + width, 3 * (layout.columns.length - 1));
    if (used > width) return;
    for (const text of [rowText(layout, columns.map(({ title }) => title), widthOf), ...texts]) {
      // Spaces at the end of a line are not there.
      const cells = text.split(" | ").slice(0, -1);
      cells.forEach((cell, at) => assert.equal(widthOf(cell), layout.columns[at].width, text));
    }
  }));
});

Deno.test("of a line of status the name is cut before what it says, and a field goes on below", () => {
  const name = "a-queue-of-this-name";
  assert.equal(fittedLine("dead", "0", 80, widthOf), "  dead       : 0");
  assert.equal(fittedLine(name, "3 waiting, paused", 80, widthOf), `  ${name} : 3 waiting, paused`);
  assert.equal(fittedLine(name, "3 waiting, paused", 35, widthOf), "  a-queue-of-t… : 3 waiting, paused");
  assert.equal(fittedLine(name, "3 waiting, paused", 25, widthOf), "  a-queue-o… : 3 waiting…");
  assert.deepEqual(fieldLines("Command:", "make -C /srv/project all", undefined, widthOf), [
    "Command:      make -C /srv/project all",
  ]);
  assert.deepEqual(fieldLines("Command:", "make -C /srv/project all", 36, widthOf), [
    "Command:      make -C /srv/project ",
    "              all",
  ]);
  assert.deepEqual(fieldLines("Command:", "make all", 15, widthOf), ["Command:      ", "make all"]);
});
