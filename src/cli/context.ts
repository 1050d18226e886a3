import type { CommandContext, StricliProcess } from "@stricli/core";
import type { Allowances } from "../job/settings.ts";

/** Which database a command is about. */
export interface DatabaseChoice {
  /** The value of `--db`. */
  readonly db: string | undefined;
  /** What the flags of all commands allow. */
  readonly allowed: Allowances;
}

/** What a command is given as `this`. */
export interface Context extends CommandContext, DatabaseChoice {
  /** The arguments behind `--`; undefined where there is none. */
  readonly behindSeparator: readonly string[] | undefined;
  /** A command sets `exitCode` here when it ends with another status than 0 without an error. */
  readonly process: StricliProcess;
}
