/** The settings kept in the database: their names, defaults and checks. Flag > environment > stored > default. */

import { formatDuration, parseDuration } from "./duration.ts";
import { QueuectlError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { formatSize, parseSize } from "./size.ts";

/** How delays grow from retry to retry. */
export const backoffKinds = ["exponential", "linear", "fixed"] as const;
export type BackoffKind = typeof backoffKinds[number];

/** Every setting with its value: durations in milliseconds, sizes in bytes. */
export interface Config {
  maxRetries: number;
  backoff: BackoffKind;
  /** Seconds. */
  baseBackoff: number;
  maxBackoff: number;
  /** From 0 to 1. */
  jitter: number;
  timeout: number;
  grace: number;
  lease: number;
  maxOutput: number;
}

interface Setting<Key extends keyof Config = keyof Config> {
  key: Key;
  default: Config[Key];
  /** What a value has to look like, for the error text. */
  expects: string;
  parse(text: string): Config[Key] | undefined;
  format(value: Config[Key]): string;
}

const setting = <Key extends keyof Config>(setting: Setting<Key>): Setting => setting;

type DurationKey = "maxBackoff" | "timeout" | "grace" | "lease";

const duration = (key: DurationKey, value: string, minimum: string): Setting =>
  setting({
    key,
    default: parseDuration(value)!,
    expects: `a duration of at least ${minimum}, like 500ms, 30s, 10m or 2h`,
    parse: (text) => atLeast(parseDuration(minimum)!, parseDuration(text)),
    format: formatDuration,
  });

const atLeast = (minimum: number, value: number | undefined) =>
  value !== undefined && value >= minimum ? value : undefined;

// A small number as JavaScript writes it (1e-9) could not be read back.
const formatDecimal = (value: number) => value.toFixed(9).replace(/\.?0+$/, "");

const settings: Record<string, Setting> = {
  "max-retries": setting({
    key: "maxRetries",
    default: 3,
    expects: "a whole number from 0 to 1000",
    parse: (text) => /^\d{1,4}$/.test(text) && Number(text) <= 1000 ? Number(text) : undefined,
    format: String,
  }),
  backoff: setting({
    key: "backoff",
    default: "exponential",
    expects: `one of ${backoffKinds.join(", ")}`,
    parse: (text) => backoffKinds.find((kind) => kind === text),
    format: String,
  }),
  "base-backoff": setting({
    key: "baseBackoff",
    default: 2,
    expects: "a number of seconds from 0 to 1000",
    parse: (text) => /^\d{1,4}(\.\d{1,9})?$/.test(text) && Number(text) <= 1000 ? Number(text) : undefined,
    format: formatDecimal,
  }),
  "max-backoff": duration("maxBackoff", "1h", "0s"),
  jitter: setting({
    key: "jitter",
    default: 0,
    expects: "a number from 0 to 1, like 0.5",
    parse: (text) => /^[01](\.\d{1,9})?$/.test(text) && Number(text) <= 1 ? Number(text) : undefined,
    format: formatDecimal,
  }),
  timeout: duration("timeout", "1h", "0s"),
  grace: duration("grace", "10s", "0s"),
  // A shorter lease could run out between two heartbeats on a busy machine.
  lease: duration("lease", "30s", "2s"),
  "max-output": setting({
    key: "maxOutput",
    default: 1024 ** 2,
    expects: "a size from 1KiB to 64MiB, like 64KiB or 1MiB",
    parse: (text) => {
      const size = parseSize(text);
      return size !== undefined && size >= 1024 && size <= 64 * 1024 ** 2 ? size : undefined;
    },
    format: formatSize,
  }),
};

/** The names of all settings, in the order in which they are listed. */
export const settingNames: readonly string[] = Object.keys(settings);

/** Throws `usage` when there is no setting of that name. */
export function checkSettingName(name: string): void {
  if (!Object.hasOwn(settings, name)) {
    throw new QueuectlError(
      "usage",
      `Unknown setting "${name}"${didYouMean(name, settingNames)}. Settings are: ${settingNames.join(", ")}`,
    );
  }
}

/** The value in the form in which it is stored (`90s` of `1.5m`). Throws `usage` for a bad name or value. */
export function checkSetting(name: string, text: string): string {
  checkSettingName(name);
  const value = settings[name].parse(text);
  if (value === undefined) {
    throw new QueuectlError("usage", `Setting "${name}" takes ${settings[name].expects}, not "${text}"`);
  }
  return settings[name].format(value);
}

/** The default of a setting, as it would be stored. */
export function defaultSetting(name: string): string {
  return settings[name].format(settings[name].default);
}

/**
 * The settings in force, from the stored ones (name and text each). A stored text that is not valid, which only a
 * foreign program can have written, counts as not set.
 */
export function configFrom(stored: Iterable<readonly [string, string]>): Config {
  const texts = new Map(stored);
  const entries = Object.entries(settings).map(([name, setting]) => {
    const text = texts.get(name);
    return [setting.key, (text === undefined ? undefined : setting.parse(text)) ?? setting.default];
  });
  return Object.fromEntries(entries);
}

/** The database to use: `--db`, else `QUEUECTL_DB`, else `queuectl.db` in the current folder. */
export function databaseUrl(flag: string | undefined): string {
  return flag ?? (Deno.env.get("QUEUECTL_DB") || "queuectl.db");
}

/** Whether a database may be used that others can write to: `--allow-shared-db`, or `QUEUECTL_ALLOW_SHARED_DB=1`. */
export function isSharingAllowed(flag: boolean): boolean {
  return flag || Deno.env.get("QUEUECTL_ALLOW_SHARED_DB") === "1";
}
