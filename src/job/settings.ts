/** The settings kept in the database: their names, defaults and checks. Flag > environment > stored > default. */

import { formatDuration, parseDuration, parseNumber } from "../base/duration.ts";
import { QueuectlError } from "../base/errors.ts";
import { didYouMean } from "../base/nearest.ts";
import { formatSize, parseSize } from "../base/size.ts";

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
  /** Infinity where nothing limits it. */
  maxPostponed: number;
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

const fromNothingTo = (maximum: number, value: number) => value >= 0 && value <= maximum ? value : undefined;

const formatDecimal = (value: number) => value.toFixed(9).replace(/\.?0+$/, "");

const settings: Record<string, Setting> = {
  "max-retries": setting({
    key: "maxRetries",
    default: 3,
    expects: "a whole number from 0 to 1000",
    parse: (text) => Number.isInteger(parseNumber(text)) ? fromNothingTo(1000, parseNumber(text)) : undefined,
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
    parse: (text) => fromNothingTo(1000, parseNumber(text)),
    format: formatDecimal,
  }),
  "max-backoff": duration("maxBackoff", "1h", "0s"),
  jitter: setting({
    key: "jitter",
    default: 0,
    expects: "a number from 0 to 1, like 0.5",
    parse: (text) => fromNothingTo(1, parseNumber(text)),
    format: formatDecimal,
  }),
  "max-postponed": setting({
    key: "maxPostponed",
    default: Infinity,
    expects: "a whole number from 0 to 1000000, or none",
    parse: (text) =>
      text === "none"
        ? Infinity
        : /^\d{1,7}$/.test(text) && Number(text) <= 1_000_000
        ? Number(text)
        : undefined,
    format: (value) => value === Infinity ? "none" : String(value),
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

/** The database to use: `--db`, else `QUEUECTL_DB`, else `queuectl.db` in the current folder. Throws `usage`. */
export function databaseUrl(flag: string | undefined): string {
  try {
    return flag ?? (Deno.env.get("QUEUECTL_DB") || "queuectl.db");
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    throw new QueuectlError("usage", "The name of a database in QUEUECTL_DB must be valid UTF-8", {
      cause: error,
    });
  }
}

/** What is refused unless somebody says that it is wanted. */
export interface Allowances {
  /** A database that others can write to: `--allow-shared-db`, or `QUEUECTL_ALLOW_SHARED_DB=1`. */
  allowShared: boolean;
  /** One that has other names too: `--allow-linked-db`, or `QUEUECTL_ALLOW_LINKED_DB=1`. */
  allowLinked: boolean;
}

/** What the flags, or the environment, allow. */
export function allowances(flags: Partial<Allowances> = {}): Allowances {
  return {
    allowShared: flags.allowShared || Deno.env.get("QUEUECTL_ALLOW_SHARED_DB") === "1",
    allowLinked: flags.allowLinked || Deno.env.get("QUEUECTL_ALLOW_LINKED_DB") === "1",
  };
}

/** The variables that tell the same to a program that is started. */
export const allowanceVariables = ({ allowShared, allowLinked }: Allowances): Record<string, string> => ({
  ...allowShared && { QUEUECTL_ALLOW_SHARED_DB: "1" },
  ...allowLinked && { QUEUECTL_ALLOW_LINKED_DB: "1" },
});
