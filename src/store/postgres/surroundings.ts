/** The environment and the files of this process, as connection_options.ts asks for them. */

import { statIfThere } from "../../files.ts";
import type { Surroundings } from "./connection_options.ts";

/** The real ones. */
export function ownSurroundings(): Surroundings {
  return {
    environment: Deno.env.toObject(),
    isWindows: Deno.build.os === "windows",
    exists: (path) => statIfThere(path) !== undefined,
    readFile(path) {
      try {
        const { isFile, mode } = Deno.statSync(path);
        return { text: isFile ? Deno.readTextFileSync(path) : "", isFile, mode };
      } catch (error) {
        // As libpq does: a file that cannot be read is as good as none.
        if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
          return undefined;
        }
        throw error;
      }
    },
  };
}
