/** What is said about a command or a flag that there is not, with what was perhaps meant; loaded where there is one. */

import type { RouteMap } from "@stricli/core";
import { nearestOf } from "../../base/nearest.ts";
import { printable } from "../../base/printable.ts";
import { commandHint } from "./command_hint.ts";
import type { Context } from "../context.ts";
import { otherCommand } from "./synonyms.ts";

/** A word of a command line for which nothing is found; flags with their dashes. */
export interface UnknownWord {
  what: "command" | "flag";
  word: string;
}

/** What every command takes. */
const globalFlags = ["help", "version", "db", "allow-shared-db", "allow-linked-db"];
/** Words that are offered at most. */
const mostOffered = 4;

/** The mistake in one line, with what was perhaps meant and where the help is. */
export function unknownText(
  routes: RouteMap<Context>,
  args: readonly string[],
  { what, word }: UnknownWord,
): string {
  const { path, target } = reached(routes, args);
  const offered = what === "command" ? commandsMeant(routes, word, path) : flagsMeant(target, word);
  // As to other queues: a command to be run without quotes.
  const instead = what === "flag" && offered.length === 0 ? commandHint(args) : undefined;
  if (instead !== undefined) return printable(`Unknown flag "${word}": ${instead}`);
  const meant = offered.slice(0, mostOffered).map((each) => `"${each}"`).join(" or ");
  const hint = meant === "" ? "" : ` (did you mean ${meant}?)`;
  return printable(`Unknown ${what} "${word}"${hint}. Run ${["queuectl", ...path, "--help"].join(" ")}`);
}

type Target = NonNullable<ReturnType<RouteMap<Context>["getRoutingTargetForInput"]>>;

/** The command, or the group of commands, that the arguments begin with. */
function reached(routes: RouteMap<Context>, args: readonly string[]): { path: string[]; target: Target } {
  const path: string[] = [];
  let target: Target = routes;
  for (const word of args) {
    const next: Target | undefined = isGroup(target) ? target.getRoutingTargetForInput(word) : undefined;
    if (next === undefined) break;
    path.push(word);
    target = next;
  }
  return { path, target };
}

const isGroup = (target: Target): target is RouteMap<Context> => "getAllEntries" in target;

/** Commands of the group that was reached, or ways to say it where that has none. */
function commandsMeant(routes: RouteMap<Context>, word: string, [group]: readonly string[]): string[] {
  const other = otherCommand(word, group);
  if (other !== undefined) return [other];
  const all = namesIn(routes);
  if (group === undefined) return nearestOf(word, [...all, "help"]);
  const target = routes.getRoutingTargetForInput(group);
  const near = target && isGroup(target) ? nearestOf(word, namesIn(target)) : [];
  // What the group does not have may be a command by itself.
  return near.length === 0 && all.includes(word) ? [`queuectl ${word}`] : near;
}

/** The commands of a group with their aliases. */
const namesIn = (group: RouteMap<Context>): string[] =>
  group.getAllEntries().flatMap(({ name, aliases }) => [name.original, ...aliases]);

function flagsMeant(target: Target, word: string): string[] {
  const own = isGroup(target) ? [] : Object.keys(target.parameters.flags ?? {});
  return nearestOf(word.replace(/^--?/, ""), [...own, ...globalFlags]).map((name) => `--${name}`);
}
