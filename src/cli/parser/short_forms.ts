/** Ways to write flags that people know from other programs, as the parser knows them. Pure. */

/** Flags of `logs` whose value is the next argument, whatever it looks like. */
const withValue = ["-n", "--lines", "--attempt", "--queue"];

/**
 * The arguments with `-n3`, `-fn3` and `-3` of tail(1) for `logs`, and git's `--sort -FIELD` for lists, written out. What is behind a
 * `--` stays as it is.
 */
export function writtenOut(args: readonly string[]): string[] {
  const separator = args.indexOf("--");
  const end = separator < 0 ? args.length : separator;
  const before = args.slice(0, end);
  const given = ["logs", "log", "follow"].includes(before[0])
    ? before.flatMap((arg, index) => withValue.includes(before[index - 1]) ? [arg] : linesFlag(arg))
    : ["list", "dlq"].includes(before[0])
    ? sortFlag(before)
    : before;
  return [...given, ...args.slice(end)];
}

function linesFlag(arg: string): string[] {
  const [, follow, count] = /^-(f?)n(\d*)$/.exec(arg) ?? /^-()(\d+)$/.exec(arg) ?? [];
  if (count === undefined) return [arg];
  return [...follow ? ["-f"] : [], "-n", ...count ? [count] : []];
}

function sortFlag(args: readonly string[]): string[] {
  const at = args.indexOf("--sort");
  if (at < 0 || !/^-[a-z_]+$/.test(args[at + 1] ?? "")) return [...args];
  return [...args.slice(0, at), `--sort=${args[at + 1]}`, ...args.slice(at + 2)];
}
