/** A new folder that is removed, with all that is in it, when it is disposed of. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  // Real, because macOS hands out a link, and the paths that programs print are compared with it.
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "queuectl-test-" }));
  return {
    path,
    [Symbol.asyncDispose]: () => remove(path),
  };
}

/** Removes a folder. On Windows files of processes that have just ended are still open for a moment. */
async function remove(path: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (Deno.build.os !== "windows" || attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
