/** The settings that are kept in the database. */

import { buildCommand, buildRouteMap } from "@stricli/core";
import type { Context } from "../context.ts";
import { argument, json } from "./flags.ts";

const key = argument("KEY", "Name of the setting");

const configList = buildCommand<{ json?: boolean }, [], Context>({
  loader: async () => (await import("../commands/config.ts")).configList,
  parameters: { flags: { json } },
  docs: {
    brief: "List all settings",
    fullDescription: `List all settings.

EXAMPLES
  queuectl config list
  queuectl config list --json`,
  },
});

const configGet = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () => (await import("../commands/config.ts")).configGet,
  parameters: { flags: { json }, positional: { kind: "tuple", parameters: [key] } },
  docs: {
    brief: "Print the value of a setting",
    fullDescription: `Print the value of a setting.

EXAMPLES
  queuectl config get timeout`,
  },
});

const configSet = buildCommand<{ json?: boolean }, [string, string], Context>({
  loader: async () => (await import("../commands/config.ts")).configSet,
  parameters: {
    flags: { json },
    positional: { kind: "tuple", parameters: [key, argument("VALUE", "The new value")] },
  },
  docs: {
    brief: "Change a setting",
    fullDescription: `Change a setting.

EXAMPLES
  queuectl config set max-retries 5
  queuectl config set timeout 10m`,
  },
});

const configUnset = buildCommand<{ json?: boolean }, [string], Context>({
  loader: async () => (await import("../commands/config.ts")).configUnset,
  parameters: { flags: { json }, positional: { kind: "tuple", parameters: [key] } },
  docs: {
    brief: "Reset a setting to its default",
    fullDescription: `Reset a setting to its default.

EXAMPLES
  queuectl config unset timeout`,
  },
});

/** `config`: shows and changes settings. */
export const config = buildRouteMap<string, Context>({
  routes: { list: configList, get: configGet, set: configSet, unset: configUnset },
  docs: {
    brief: "Show and change the settings of the queue",
    fullDescription: `Show and change the settings, which are kept in the database.

SETTINGS
  max-retries   Retries of a new job after its first run [default: 3]
  backoff       How waits before retries grow: exponential, linear or fixed [default: exponential]
  base-backoff  Seconds; retry n waits base-backoff ^ n, linear base-backoff * n [default: 2]
  max-backoff   The longest wait before a retry [default: 1h]
  jitter        Part of every wait that is left to chance, 0 to 1 [default: 0]
  max-postponed How often in a row exit status 75 puts a job off [default: none]
  timeout       Time that a run may take; 0 is no limit [default: 1h]
  grace         Time that running commands are given on a stop and a cancel [default: 10s]
  lease         Time after which a worker that is not heard of is taken for gone [default: 30s]
  max-output    What is kept of each output of a run [default: 1MiB]

EXAMPLES
  queuectl config set max-retries 5
  queuectl config set timeout 10m`,
  },
});
