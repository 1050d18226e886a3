/** A new folder that is removed, with all that is in it, when it is disposed of. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  // Real, because macOS hands out a link, and the paths that programs print are compared with it.
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "queuectl-test-" }));
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
