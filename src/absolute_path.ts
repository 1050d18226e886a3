/** Absolute paths without `node:path`, which would cost every command several milliseconds of its start. */

/** Makes paths absolute as `resolve` of `node:path` does, from the current folder. */
export async function pathResolver(): Promise<(path: string) => string> {
  if (Deno.build.os === "windows") return (await import("node:path")).resolve;
  return (path) => absolutePosixPath(path, Deno.cwd());
}

/** A POSIX path without `.`, `..` and empty parts, from `folder`, which is absolute. */
export function absolutePosixPath(path: string, folder: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
