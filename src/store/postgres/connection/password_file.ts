/** The file of passwords that libpq knows: `host:port:database:user:password` lines. */

/** A file as it was found. */
export interface FoundFile {
  text: string;
  isFile: boolean;
  /** Null where the system has no modes. */
  mode: number | null;
}

/** What a connection is about, as the lines name it. */
export interface PasswordKey {
  host: string;
  port: number;
  database: string;
  user: string;
}

/** Why the file must not be believed; undefined when it may be. */
export function passwordFileProblem(path: string, { isFile, mode }: FoundFile): string | undefined {
  if (!isFile) return "it is not a plain file";
  if (mode !== null && (mode & 0o077) !== 0) {
    return `others may read or write it; run: chmod 600 ${path}`;
  }
  return undefined;
}

/** The password of the first line that matches; undefined where none does. */
export function findPassword(text: string, { host, port, database, user }: PasswordKey): string | undefined {
  const wanted = [host, String(port), database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const [password, ...pattern] = fields(line).reverse();
    if (pattern.length !== 4) continue;
    pattern.reverse();
    if (pattern.every(({ raw, text }, index) => raw === "*" || text === wanted[index])) return password.text;
  }
  return undefined;
}

/** The five fields of a line: `\` takes the special meaning from `:` and from itself; the password takes the rest. */
function fields(line: string): Array<{ raw: string; text: string }> {
  const found: Array<{ raw: string; text: string }> = [{ raw: "", text: "" }];
  for (let place = 0; place < line.length; place++) {
    const last = found.at(-1)!;
    if (line[place] === ":" && found.length < 5) {
      found.push({ raw: "", text: "" });
      continue;
    }
    const escaped = line[place] === "\\" && place + 1 < line.length;
    last.raw += escaped ? line.slice(place, place + 2) : line[place];
    last.text += escaped ? line[++place] : line[place];
  }
  return found;
}
