/** How many lines `status --watch` has on the terminal, so that it can be drawn over what it has drawn. Pure. */

import type { WidthOf } from "./cell_width.ts";
import { counted } from "./output.ts";

/**
 * As many of these lines as the terminal has rows, but for the last one, in which the cursor stays. Queues go first, of
 * which `queueLines` has a title and one line each; one line says how many are left out.
 */
export function fitToRows(lines: readonly string[], queueLines: readonly string[], rows: number): string[] {
  const most = Math.max(1, rows - 1);
  if (lines.length + queueLines.length <= most) return [...lines, ...queueLines];
  const queues = queueLines.length - 1;
  const shown = most - lines.length - 2;
  if (queues > 0 && shown > 0) {
    return [
      ...lines,
      ...queueLines.slice(0, 1 + shown),
      `  (${counted(queues - shown, "more queue")} left out)`,
    ];
  }
  const note = queues > 0 && most > 1 ? [`  (${counted(queues, "queue")} left out)`] : [];
  return [...lines.slice(0, most - note.length), ...note];
}

/** The rows that these lines take on a terminal that may have become narrower since they were drawn. */
export const rowsOf = (lines: readonly string[], columns: number, widthOf: WidthOf): number =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
