/** The help as people read it: what the parser's text has is put into lines that fit, and flags have their values. */

/** What a usage line has one word for, and a part of the help explains. */
const groups = {
  FILTERS: ["state", "queue", "tag", "search", "since", "older-than"],
  CHANGES: ["set", "unset"],
} as const;

/**
 * Lines of the parser's help → the same in lines of at most `width` characters, as far as words can be broken, for the
 * command or group of commands that `prefix` names.
 */
export function helpText(lines: readonly string[], prefix: readonly string[], width: number): string[] {
  const text: string[] = [];
  let section = "";
  let paragraph: string[] = [];
  for (const line of [...withPlainUsage(lines, prefix.join(" ")), ""]) {
    const isTitle = /^[A-Z]+( [A-Z]+)*$/.test(line);
    if (line !== "" && !isTitle && !line.startsWith(" ")) {
      paragraph.push(line);
      continue;
    }
    if (paragraph.length > 0) {
      // Where a command has no more than the brief of the list of commands, that has no full stop.
      text.push(...wrapped(paragraph.join(" ").replace(/[^.]$/, "$&."), 0, width));
      paragraph = [];
    }
    if (isTitle) section = line;
    const isKept = section === "FLAGS" || section === "EXAMPLES";
    text.push(...isKept ? [line] : wrapped(line, section === "USAGE" ? 4 : indentOf(line), width));
  }
  text.pop();
  const start = text.indexOf("FLAGS");
  if (start < 0) return text;
  const after = text.indexOf("", start);
  const end = after < 0 ? text.length : after;
  const usage = text.slice(0, text.indexOf("")).join("\n");
  return [
    ...text.slice(0, start),
    ...flagSections(text.slice(start + 1, end), usage, width),
    ...text.slice(end),
  ];
}

/**
 * Usage lines in one form: arguments as `ID`, before the flags; of a group no line for each command, which would be a
 * screen of which nobody reads a line.
 */
function withPlainUsage(lines: readonly string[], command: string): string[] {
  const end = lines.indexOf("");
  const usage = lines.includes("COMMANDS")
    ? ["USAGE", `  ${command} COMMAND [FLAGS] [ARGUMENTS]`, `  ${command} COMMAND --help`]
    : lines.slice(0, end).map((line) => {
      const [, flags, args] = /^(.*?)((?: <[A-Z]+>(?:\.\.\.)?)*)$/.exec(line.slice(2 + command.length))!;
      return args === "" ? line : `  ${command}${args.replace(/[<>]/g, "")}${flags}`;
    });
  return [...usage, ...lines.slice(end)];
}

interface Flag {
  name: string;
  /** The flag with its letter and its value. */
  head: string;
  brief: string;
}

/** `[--timeout]   <DURATION> Time that …` → `--timeout DURATION   Time that …`. */
function readFlag(line: string): Flag {
  const [, short, name, several, placeholder, brief] =
    /^ *(-\w)? *\[?--([\w-]+(?: PATH)?)\]?(\.\.\.)? +(?:<([^>]+)> )?(.*)$/.exec(line)!;
  const head = `  ${short ?? "  "} --${name}${placeholder ? ` ${placeholder}` : ""}${several ?? ""}`;
  return { name, head, brief };
}

/** The flags in two columns, those of a group that the usage has one word for under that word. */
function flagSections(lines: readonly string[], usage: string, width: number): string[] {
  let rest = lines.map(readFlag);
  const sections: string[][] = [];
  for (const [title, names] of Object.entries(groups)) {
    const isOfGroup = ({ name }: Flag) =>
      usage.includes(title) && (names as readonly string[]).includes(name) && !usage.includes(`--${name} `);
    const flags = rest.filter(isOfGroup);
    if (flags.length > 0) sections.push([title, ...twoColumns(flags, width), ""]);
    rest = rest.filter((flag) => !isOfGroup(flag));
  }
  return [...sections.flat(), "FLAGS", ...twoColumns(rest, width)];
}

function twoColumns(flags: readonly Flag[], width: number): string[] {
  const indent = Math.max(...flags.map(({ head }) => head.length)) + 2;
  return flags.flatMap(({ head, brief }) => wrapped(head.padEnd(indent) + brief, indent, width));
}

/** Where the second column of a line begins, or its text. */
const indentOf = (line: string) => (/^ +\S+(?: \S+)*? {2,}(?=\S)/.exec(line) ?? /^ */.exec(line)!)[0].length;

/** The line, broken between words where it is too long, but not within brackets; what follows is indented by so much. */
function wrapped(line: string, indent: number, width: number): string[] {
  if (line.length <= width) return [line];
  const whole = line.replace(
    /\[[^\]]*\]/g,
    (text) => text.length > width - indent ? text : text.replaceAll(" ", "\0"),
  );
  const at = whole.lastIndexOf(" ", width);
  if (at <= indent) return [line];
  return [line.slice(0, at).trimEnd(), ...wrapped(" ".repeat(indent) + line.slice(at + 1), indent, width)];
}
