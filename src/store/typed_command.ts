/** A command line of this program for people to copy. Pure. */

/**
 * `queuectl` and these words, as the shells of the system take them. On Windows that is right for `cmd.exe` and PowerShell
 * alike: both take double quotes, and `--%`, which queuectl leaves out, keeps PowerShell from its own signs within them.
 * (`cmd.exe` has no sign that keeps it from replacing `%NAME%`.)
 */
export function typedCommand(words: readonly string[], os: string = Deno.build.os): string {
  if (os !== "windows") {
    return [
      "queuectl",
      ...words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`),
    ].join(" ");
  }
  const typed = words.map((word) =>
    /^[\w\\:./-]+$/.test(word) ? word : `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, "$&$&")}"`
  );
  return ["queuectl", ...words.some((word) => /[$`"]/.test(word)) ? ["--%"] : [], ...typed].join(" ");
}
