/** Making what commands print fit the terminal. What goes into a pipe or a file is left as it is. */

import { printable } from "../../base/printable.ts";
import { breakToWidth, cutToWidth, padToWidth, plainWidth, widthFor, type WidthOf } from "./cell_width.ts";
import { type Table, tableText } from "./output.ts";
import { print, printAll } from "./standard_streams.ts";
import { type Layout, layOut, rowText, ruleText, type TableColumn } from "./table_layout.ts";

/** The size of the terminal that standard output is; undefined where it is none, or one that has no size. */
export function terminalSize(): { columns: number; rows: number } | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  const { columns, rows } = Deno.consoleSize();
  return columns > 0 ? { columns, rows: rows > 0 ? rows : Infinity } : undefined;
}

/** A table is laid out for so many of its first rows, and no more of them are held. */
const sampleSize = 1000;

/** The lines of a table that fits the width. With `leavesOut` columns that say nothing may be missing. */
export async function* fittedTable(
  columns: readonly TableColumn[],
  rows: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
  width: number,
  { leavesOut = false }: { leavesOut?: boolean } = {},
): AsyncGenerator<string> {
  const sample: Array<readonly string[]> = [];
  const titles = columns.map(({ title }) => title);
  let widthOf = plainWidth;
  let layout: Layout | undefined;

  async function* begin(isWhole: boolean): AsyncGenerator<string> {
    widthOf = await widthFor(sample.flat());
    layout = layOut(columns, sample, { width, widthOf, isWhole, leavesOut });
    yield `${rowText(layout, titles, widthOf)}\n${ruleText(layout)}\n`;
    for (const row of sample.splice(0)) yield `${rowText(layout, row, widthOf)}\n`;
  }

  for await (const row of rows) {
    if (layout) {
      if (widthOf === plainWidth) widthOf = await widthFor(row);
      yield `${rowText(layout, row, widthOf)}\n`;
    } else if (sample.push(row) > sampleSize) yield* begin(false);
  }
  if (!layout) yield* begin(true);
}

/** Prints a table, fitted where standard output is a terminal. */
export async function printTable({ columns, rows }: Table): Promise<void> {
  const table = { columns, rows: rows.map((row) => row.map(printable)) };
  const size = terminalSize();
  if (size === undefined) return await print(tableText(table));
  await printAll(fittedTable(table.columns, table.rows, size.columns, { leavesOut: true }));
}

/** The characters that the name of a field takes. */
const nameWidth = 14;

/** Prints named fields, a line each; what does not fit a terminal goes on below, because it is shown nowhere else. */
export async function printFields(
  given: ReadonlyArray<readonly [name: string, value: string]>,
): Promise<void> {
  const fields = given.map(([name, value]) => [name, printable(value)] as const);
  const width = terminalSize()?.columns;
  const widthOf = width === undefined ? plainWidth : await widthFor(fields.map(([, value]) => value));
  const lines = fields.flatMap(([name, value]) => fieldLines(`${name}:`, value, width, widthOf));
  await print(lines.map((line) => `${line}\n`).join(""));
}

/** A field in lines of at most that width. */
export function fieldLines(
  name: string,
  value: string,
  width: number | undefined,
  widthOf: WidthOf,
): string[] {
  const text = name.padEnd(nameWidth) + value;
  if (width === undefined) return [text];
  if (width < 2 * nameWidth) return breakToWidth(text, width, widthOf);
  const [first, ...rest] = breakToWidth(value, width - nameWidth, widthOf);
  return [name.padEnd(nameWidth) + first, ...rest.map((line) => " ".repeat(nameWidth) + line)];
}

/** `  title : text` of at most that width: the title is cut before the text is. */
export function fittedLine(title: string, text: string, width: number, widthOf: WidthOf): string {
  const room = width - "  ".length - " : ".length - widthOf(text);
  const titleWidth = Math.max(10, Math.min(widthOf(title), room));
  const cut = padToWidth(cutToWidth(title, titleWidth, widthOf), titleWidth, widthOf);
  return cutToWidth(`  ${cut} : ${text}`, width, widthOf);
}
