/** What a measure finds, and the table of it. */

import { median, ratio } from "./statistics.ts";

/** A bound that a figure is to keep: its ratio where it is measured against something, else its value. */
export type Target = { atLeast: number } | { atMost: number };

/** One line of the table. */
export interface Row {
  figure: string;
  value: number;
  unit: string;
  /** What it is measured against in the same run, and that one's value in the same unit. */
  against?: { name: string; value: number };
  /** Value over that of `against`; for a difference see `difference`. */
  ratio?: number;
  /** Value minus that of `against`. */
  difference?: number;
  target?: Target;
}

/** A figure with the one it is measured against, both of the same rounds. */
export function comparison(
  figure: string,
  unit: string,
  values: readonly number[],
  name: string,
  references: readonly number[],
  target?: Target,
): Row {
  return {
    figure,
    unit,
    value: median(values),
    against: { name, value: median(references) },
    ratio: ratio(values, references),
    target,
  };
}

/** Whether the target is met; null where there is none. */
function isMet({ target, value, ratio, difference }: Row): boolean | null {
  if (!target) return null;
  const measured = ratio ?? difference ?? value;
  return "atLeast" in target ? measured >= target.atLeast : measured <= target.atMost;
}

function rounded(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en").replaceAll(",", " ");
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

function cells(row: Row): string[] {
  const { figure, value, unit, against, ratio, difference, target } = row;
  const met = isMet(row);
  return [
    figure,
    `${rounded(value)} ${unit}`,
    against ? `${against.name}: ${rounded(against.value)}` : "",
    ratio !== undefined
      ? ratio.toFixed(2)
      : difference !== undefined
      ? `${difference < 0 ? "" : "+"}${rounded(difference)}`
      : "",
    !target ? "" : "atLeast" in target ? `≥ ${rounded(target.atLeast)}` : `≤ ${rounded(target.atMost)}`,
    met === null ? "" : met ? "yes" : "NO",
  ];
}

/** The rows as a Markdown table with aligned columns. */
export function table(rows: readonly Row[]): string {
  const lines = [["figure", "value", "measured against", "ratio", "target", "met"], ...rows.map(cells)];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = (line: string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [text(lines[0]), rule, ...lines.slice(1).map(text)].join("\n");
}
