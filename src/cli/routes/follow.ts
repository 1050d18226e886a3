/** Seeing what jobs are and do: now, and until they have ended. */

import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { argument, given } from "./flags.ts";

export const logs = buildCommand<{ stdout?: boolean; stderr?: boolean }, [string], Context>({
  loader: async () => (await import("../commands/logs.ts")).logs,
  parameters: {
    flags: {
      stdout: given("Only what it has printed on standard output"),
      stderr: given("Only what it has printed on standard error, to standard output"),
    },
    positional: {
      kind: "tuple",
      parameters: [argument("ID", "Id of a job, or a prefix no other job has")],
    },
  },
  docs: {
    brief: "Print what a job has printed",
    fullDescription:
      `Print what a job has printed: so far where it runs, else in its last run. Its standard error goes to standard
error, unless one of the two is asked for.

EXAMPLES
  queuectl logs nightly
  queuectl logs --stderr nightly | tail`,
  },
});
