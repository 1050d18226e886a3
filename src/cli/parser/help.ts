/** `--help` and `--version`, which every command has. */

import type { StricliIntegration } from "@stricli/core";
import config from "../../../deno.json" with { type: "json" };
import type { Context } from "../context.ts";
import { helpText } from "./help_text.ts";
import { terminalSize } from "../output/terminal_width.ts";

const formatting = {
  useAliasInUsageLine: false,
  onlyRequiredInUsageLine: false,
  caseStyle: "original",
} as const;

// --db is taken out of the arguments before they are parsed; here it is only described.
const globalFlags = [
  {
    name: "db PATH",
    brief: "A file or a postgres:// URL; else $QUEUECTL_DB, else queuectl.db in the current folder",
  },
  { name: "allow-shared-db", brief: "Use files of other users, who can then run commands as you" },
  { name: "allow-linked-db", brief: "Use a file with a second name, whose users can lose jobs" },
  { name: "help", brief: "Print this help and exit", aliases: ["h"] },
  { name: "version", brief: "Print the version and exit", aliases: ["V"] },
] as const;

/** The most characters in a line, also where a terminal is wider: longer lines are hard to read. */
const lineLength = 80;
/** Where a terminal is narrower, there is no room for two columns. */
const leastLength = 40;

const shared = { global: true, brief: "" };

/** Prints what the command, or the group of commands, does; also where a group is named without a command. */
export const helpFlag: StricliIntegration<Context> = {
  flag: {
    ...shared,
    aliases: ["h"],
    defaultForRouteMap: true,
    run(_app, { result, text }) {
      const { target, prefix, aliases } = result;
      const lines = target.formatHelp({
        prefix,
        text,
        config: formatting,
        additionalFlags: globalFlags,
        aliases: aliases[formatting.caseStyle],
        includeArgumentEscapeSequenceFlag: false,
        includeHidden: false,
        ansiColor: false,
      }).split("\n");
      // A usage line for each flag that every command has would hide the one that matters.
      const noise = new Set(globalFlags.map((flag) => `  ${prefix.join(" ")} --${flag.name}`));
      const width = Math.max(Math.min(terminalSize()?.columns ?? lineLength, lineLength), leastLength);
      this.process.stdout.write(
        helpText(lines.filter((line) => !noise.has(line)), prefix, width).join("\n"),
      );
    },
  },
};

/** Prints the version and nothing else. */
export const versionFlag: StricliIntegration<Context> = {
  flag: {
    ...shared,
    aliases: ["V"],
    run() {
      this.process.stdout.write(`${config.version}\n`);
    },
  },
};
