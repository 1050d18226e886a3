/** Absolute paths without `node:path`, which would cost every command several milliseconds of its start. */

import { QueuectlError } from "./errors.ts";

/** The current folder. Throws `usage`, with what to do, where it has no name. */
export function currentFolder(advice: string): string {
  try {
    return Deno.cwd();
  } catch (error) {
    const problem = error instanceof Deno.errors.InvalidData
      ? "has a name that is not valid UTF-8"
      : error instanceof Deno.errors.NotFound
      ? "is not there any more"
      : `has no name that can be used (${(error as Error).message})`;
    throw new QueuectlError("usage", `The current folder ${problem}; ${advice}`, { cause: error });
  }
}

/** Makes paths absolute as `resolve` of `node:path` does. Throws `usage` where that takes a current folder without a name. */
export async function pathResolver(): Promise<(path: string) => string> {
  if (Deno.build.os === "windows") return (await import("node:path")).resolve;
  return (path) =>
    absolutePosixPath(path, path.startsWith("/") ? "/" : currentFolder(`give the whole path of "${path}"`));
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
