/** The environment and the files of this process, as options.ts asks for them. */

import { statIfThere } from "../../../base/files.ts";
import type { ProcessEnvironment } from "./options.ts";

/** The real ones. */
export function readProcessEnvironment(): ProcessEnvironment {
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
