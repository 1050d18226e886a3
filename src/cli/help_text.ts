/** The help as people read it: what the parser's text has is put into lines that fit, and flags have their values. */

/** The most characters in a line, as far as words can be broken. */
const width = 100;

/** Lines of the parser's help → the same, for the command or group of commands that `prefix` names. */
export function helpText(lines: readonly string[], prefix: readonly string[]): string[] {
  const text: string[] = [];
  let section = "";
  let paragraph: string[] = [];
  for (const line of [...prefix.length === 1 ? withOneUsage(lines, prefix[0]) : lines, ""]) {
    const isTitle = /^[A-Z]+( [A-Z]+)*$/.test(line);
    if (line !== "" && !isTitle && !line.startsWith(" ")) {
      paragraph.push(line);
      continue;
    }
    if (paragraph.length > 0) {
      // Where a command has no more than the brief of the list of commands, that has no full stop.
      text.push(...wrapped(paragraph.join(" ").replace(/[a-z]$/, "$&."), 0));
      paragraph = [];
    }
    if (isTitle) section = line;
    const isKept = section === "FLAGS" || section === "EXAMPLES";
    text.push(...isKept ? [line] : wrapped(line, section === "USAGE" ? 4 : indentOf(line)));
  }
  text.pop();
  const start = text.indexOf("FLAGS") + 1;
  if (start === 0) return text;
  const after = text.indexOf("", start);
  const end = after < 0 ? text.length : after;
  return [...text.slice(0, start), ...flagLines(text.slice(start, end)), ...text.slice(end)];
}

/** All commands with all their flags would be a screen of which nobody reads a line. */
function withOneUsage(lines: readonly string[], program: string): string[] {
  const end = lines.indexOf("");
  return [
    "USAGE",
    `  ${program} COMMAND [FLAGS] [ARGUMENTS]`,
    `  ${program} COMMAND --help`,
    ...lines.slice(end),
  ];
}

/** `[--timeout]   <DURATION> Time that …` → `--timeout DURATION   Time that …`, in two columns. */
function flagLines(lines: readonly string[]): string[] {
  const flags = lines.map((line) => {
    const [, short, name, several, placeholder, brief] =
      /^ *(-\w)? *\[?--([\w-]+(?: PATH)?)\]?(\.\.\.)? +(?:<([^>]+)> )?(.*)$/.exec(line) ?? [];
    if (name === undefined) return { head: line, brief: "" };
    const head = `  ${short ?? "  "} --${name}${placeholder ? ` ${placeholder}` : ""}${several ?? ""}`;
    return { head, brief };
  });
  const indent = Math.max(...flags.map(({ head }) => head.length)) + 2;
  return flags.flatMap(({ head, brief }) => wrapped(head.padEnd(indent) + brief, indent));
}

/** Where the second column of a line begins, or its text. */
const indentOf = (line: string) => (/^ +\S+(?: \S+)*? {2,}(?=\S)/.exec(line) ?? /^ */.exec(line)!)[0].length;

/** The line, broken between words where it is too long; what follows is indented by so much. */
function wrapped(line: string, indent: number): string[] {
  if (line.length <= width) return [line];
  const at = line.lastIndexOf(" ", width);
  if (at <= indent) return [line];
  return [line.slice(0, at).trimEnd(), ...wrapped(" ".repeat(indent) + line.slice(at + 1), indent)];
}
