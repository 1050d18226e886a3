/**
 * How a table fits a width. Columns are as wide as their widest cell. Where that is too wide the flexible ones are
 * narrowed, the widest first, then the titles of the others, and then the flexible ones further. What still is too wide
 * is cut off each line. Widths are cells of a terminal; all of this is pure.
 */

import { cutToWidth, padToWidth, type WidthOf } from "./cell_width.ts";

/** A column of a table that is to fit. */
export interface TableColumn {
  readonly title: string;
  readonly alignment?: "right";
  /** Its cells may be cut: first to `least`, and to `last` before anything is cut off the lines. */
  readonly flexible?: { readonly least: number; readonly last: number };
  /** What is left of a cell that is cut. */
  readonly shows?: "end";
  /** The width that it has at least where there are rows besides those that it is laid out for. */
  readonly usual?: number;
}

/** Which columns are shown, and how wide; all together with what is between them may be wider than the terminal. */
export interface Layout {
  readonly columns: ReadonlyArray<TableColumn & { readonly index: number; readonly width: number }>;
  /** No line is wider. */
  readonly width: number;
}

const separator = " | ";

/** What a title is cut to before cells of flexible columns become of no use. */
const leastTitle = 4;

/** What is left of a flexible column before lines are cut. */
const lastWidth = 4;

/** A flexible column that keeps so many cells while others can be narrowed. */
export const flexible = (least: number, last: number = lastWidth) => ({ flexible: { least, last } });

/** How to lay out a table for these rows, which are all or the first of them. */
export function layOut(
  columns: readonly TableColumn[],
  rows: ReadonlyArray<readonly string[]>,
  { width, widthOf, isWhole, leavesOut = false }: {
    width: number;
    widthOf: WidthOf;
    isWhole: boolean;
    /** Whether columns in which there is nothing but `-` go first. */
    leavesOut?: boolean;
  },
): Layout {
  const all = columns.map((column, index) => measured(column, index));
  const isFitting = (shown: typeof all) => sum(shown.map(({ natural }) => natural)) <= roomOf(shown.length);
  const saying = all.filter(({ index }) => rows.some((row) => row[index] !== "-"));
  const shown = !leavesOut || saying.length === 0 || isFitting(all) ? all : saying;
  const widths = narrowed(shown, roomOf(shown.length));
  // What is left over is for longer cells of rows that come later.
  const last = shown.length - 1;
  if (shown[last].flexible) widths[last] += Math.max(0, roomOf(shown.length) - sum(widths));
  return { columns: shown.map((column, at) => ({ ...column, width: widths[at] })), width };

  function roomOf(count: number): number {
    return width - separator.length * (count - 1);
  }

  function measured(column: TableColumn, index: number) {
    const usual = isWhole ? 0 : column.usual ?? 0;
    const widest = rows.reduce((most, row) => Math.max(most, widthOf(row[index])), usual);
    return { ...column, index, widest, natural: Math.max(widest, widthOf(column.title)) };
  }
}

interface Measured extends TableColumn {
  /** The width of its widest cell, and of that or its title. */
  readonly widest: number;
  readonly natural: number;
}

/** The widths of columns in so much room; narrower step by step, until they fit or can be narrowed no more. */
function narrowed(columns: readonly Measured[], room: number): number[] {
  const steps: Array<(column: Measured) => number> = [
    ({ flexible, natural }) => flexible ? Math.min(natural, flexible.least) : natural,
    ({ flexible, natural, widest }) =>
      flexible ? Math.min(natural, flexible.least) : Math.min(natural, Math.max(widest, leastTitle)),
    ({ flexible, natural, widest }) =>
      flexible ? Math.min(natural, flexible.last) : Math.min(natural, Math.max(widest, leastTitle)),
  ];
  let widths = columns.map(({ natural }) => natural);
  for (const step of steps) {
    if (sum(widths) <= room) break;
    widths = levelled(widths, columns.map(step), room);
  }
  return widths;
}

/** The widths with the widest of them down at one level, so that they fill the room, but none below its least. */
function levelled(widths: readonly number[], least: readonly number[], room: number): number[] {
  const at = (level: number) => widths.map((width, index) => Math.min(width, Math.max(level, least[index])));
  if (sum(least) >= room) return [...least];
  let [fits, tooWide] = [0, Math.max(...widths)];
  while (tooWide - fits > 1) {
    const level = (fits + tooWide) >> 1;
    if (sum(at(level)) <= room) fits = level;
    else tooWide = level;
  }
  const result = at(fits);
  // What is left is less than one for each of those that could have more.
  const wider = at(fits + 1);
  for (let index = 0; sum(result) < room && index < result.length; index++) result[index] = wider[index];
  return result;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** A row of the table, or with the titles its header, without a line break. */
export function rowText(layout: Layout, cells: readonly string[], widthOf: WidthOf): string {
  const last = layout.columns.length - 1;
  const texts = layout.columns.map(({ index, width, alignment, shows }, at) => {
    const text = cutToWidth(cells[index], width, widthOf, shows);
    return at === last && alignment === undefined ? text : padToWidth(text, width, widthOf, alignment);
  });
  return cutToWidth(texts.join(separator), layout.width, widthOf).trimEnd();
}

/** The line below the header: that of any table, where there is room for it. */
export const ruleText = ({ width }: Layout): string => "-".repeat(Math.min(80, width));
