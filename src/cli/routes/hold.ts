/** Keeping jobs back, and letting them go. */

import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import type { FilterFlags } from "../arguments/job_filter.ts";
import { choices, filters, ids, json, state, statesHelp } from "./flags.ts";

type Json = { json?: boolean };

/** `hold`: jobs that wait, until they are released. */
export const hold = buildCommand<FilterFlags & Json, string[], Context>({
  loader: async () => (await import("../commands/hold.ts")).hold,
  parameters: { flags: { state, ...filters, json }, positional: ids },
  docs: {
    brief: "Hold waiting jobs",
    fullDescription:
      `Hold waiting jobs: they do not run until you release them, even when their time comes. Running jobs continue.
"queuectl enqueue --hold" adds a held job; "worker start --drain" and "wait --all" do not wait for held jobs.

${statesHelp}

EXAMPLES
  queuectl hold nightly
  queuectl hold --state waiting --search backup
  queuectl list --state held`,
    customUsage: choices,
  },
});

/** `release`: held jobs can be run. */
export const release = buildCommand<FilterFlags & Json, string[], Context>({
  loader: async () => (await import("../commands/hold.ts")).release,
  parameters: { flags: { state, ...filters, json }, positional: ids },
  docs: {
    brief: "Release held jobs",
    fullDescription:
      `Release held jobs: they run as if they had never been held. A scheduled job still waits for its time.

${statesHelp}

EXAMPLES
  queuectl release nightly
  queuectl release --state held`,
    customUsage: choices,
  },
});
