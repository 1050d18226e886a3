/** Finds the file of a program as `cmd.exe` does. Pure but for the question whether a file is there. */

/** What a program is looked for with. */
export interface SearchEnvironment {
  /** Absolute path of the folder in which the command runs. */
  cwd: string;
  /** All of the command's environment. */
  env: Record<string, string>;
  /** Whether there is a file, and no folder, of this absolute path; never throws. */
  isFile(path: string): boolean;
}

/** Where nothing else is said; the program can be in files of these kinds. */
const defaultExtensions = ".COM;.EXE;.BAT;.CMD";

/**
 * Absolute path of the file that a word of a command names, null where there is none. A word with a folder is relative to
 * the command's own folder. One without is looked for there first (not with the variable
 * NoDefaultCurrentDirectoryInExePath), then in the folders of PATH; as it is when it has a dot, then with each
 * extension of PATHEXT.
 */
export function findProgram(word: string, { cwd, env, isFile }: SearchEnvironment): string | null {
  // Windows leaves off dots and blanks at the end: "a.cmd." is a batch file too.
  const name = word.replaceAll("/", "\\").replace(/[. ]+$/, "");
  // A colon elsewhere names a stream of a file.
  if (name === "" || /["*?<>|\p{Cc}]/u.test(name) || name.indexOf(":", 2) >= 0) return null;
  const extensions = (variable(env, "PATHEXT") ?? defaultExtensions).split(";").filter((text) =>
    /^\.[\w-]+$/.test(text)
  );
  const names = [...name.slice(name.lastIndexOf("\\") + 1).includes(".") ? [""] : [], ...extensions];
  for (const folder of foldersFor(name, cwd, env)) {
    const path = absolutePath(name, folder);
    const extension = names.find((extension) => path !== null && isFile(path + extension));
    if (extension !== undefined) return path + extension;
  }
  return null;
}

function foldersFor(name: string, cwd: string, env: Record<string, string>): string[] {
  if (/[\\:]/.test(name)) return [cwd];
  const own = variable(env, "NoDefaultCurrentDirectoryInExePath") === undefined ? [cwd] : [];
  const path = (variable(env, "PATH") ?? "").split(";").map((folder) => folder.replaceAll('"', "").trim());
  return [
    ...own,
    ...path.filter((folder) => folder !== "").map((folder) => absolutePath(folder, cwd) ?? cwd),
  ];
}

/** A path in a folder; null for one in the current folder of a drive, which only a shell has. */
function absolutePath(path: string, folder: string): string | null {
  if (/^(?:[a-z]:)?[\\/]/i.test(path)) return /^[\\/][^\\/]/.test(path) ? folder.slice(0, 2) + path : path;
  if (/^[a-z]:/i.test(path)) return null;
  return `${folder.replace(/[\\/]+$/, "")}\\${path}`;
}

/** The value of a variable, whose name Windows finds in any case. */
function variable(env: Record<string, string>, name: string): string | undefined {
  const wanted = name.toUpperCase();
  return Object.entries(env).find(([name]) => name.toUpperCase() === wanted)?.[1];
}

/** Whether there is a file; also where it cannot be looked at, as below a folder of another user, there is none to start. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
