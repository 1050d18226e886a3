/** Commands and flags that there are not, and what is said about them. */

import assert from "node:assert/strict";
import { otherCommand } from "../../src/cli/parser/synonyms.ts";
import { routes } from "../../src/cli/routes/table.ts";
import { unknownText } from "../../src/cli/parser/suggestions.ts";

/** What is offered in place of the last of these words; empty where nothing is. */
function offered(what: "command" | "flag", line: string): string {
  const args = line.split(" ");
  const text = unknownText(routes, args, { what, word: args.at(-1)! });
  const group = args.slice(0, -1).join(" ");
  const start = `Unknown ${what} "${args.at(-1)}"`;
  const end = `. Run queuectl ${group === "" ? "" : `${group} `}--help`;
  assert.ok(text.startsWith(start) && text.endsWith(end), text);
  const hint = text.slice(start.length, -end.length);
  assert.match(hint, /^( \(did you mean .+\?\))?$/);
  return hint.replace(/^ \(did you mean (.+)\?\)$/, "$1").replaceAll('"', "");
}

Deno.test("an unknown command is told with the one that was mistyped, at every level", () => {
  const cases: Array<[string, string]> = [
    ["enque", "enqueue"],
    ["restrat", "restart"],
    ["restrt", "restart"],
    ["adds", "add"],
    ["ad", "add"],
    ["folow", "follow"],
    ["hepl", "help"],
    ["hel", "help"],
    ["cancle", "cancel"],
    ["rum", "run or rm"],
    ["x", ""],
    ["q", ""],
    ["foo", ""],
    ["constructor", ""],
    ["worker strat", "start"],
    ["worker lsit", "list"],
    ["worker help", ""],
    ["queue sett", "set"],
    ["queue queue", "queuectl queue"],
    ["queue pause", "queuectl pause"],
    ["dlq purg", "purge"],
    ["config gett", "get"],
  ];
  for (const [line, expected] of cases) assert.equal(offered("command", line), expected, line);
});

Deno.test("what users of other tools type is told with what it is here", () => {
  const cases: Array<[string, string]> = [
    ["start", "worker start"],
    ["stop", "worker stop"],
    ["kill", "cancel"],
    ["remove", "rm"],
    ["delete", "rm"],
    ["del", "rm"],
    ["ps", "list"],
    ["ls", "list"],
    ["tail", "logs"],
    ["submit", "enqueue"],
    ["PUSH", "enqueue"],
    ["unhold", "release"],
    ["stash", "hold"],
    ["top", "status --watch"],
    ["worker ps", "list"],
    ["worker ls", "list"],
    ["queue remove", "rm"],
    ["dlq rm", "purge"],
    ["config reset", "unset"],
  ];
  for (const [line, expected] of cases) assert.equal(offered("command", line), expected, line);
});

Deno.test("no word of other tools is a command here, and each stands for one that there is", () => {
  const names = routes.getAllEntries().flatMap(({ name, aliases }) => [name.original, ...aliases]);
  for (const word of names) assert.equal(otherCommand(word, undefined), undefined, word);
  const others =
    "start work up daemon stop down shutdown workers submit push put create new schedule batch exec " +
    "kill abort terminate remove delete del prune clear rerun redo requeue stash unhold unstash freeze suspend " +
    "unpause continue cont update change modify mv ls ps jobs tail attach cat output info inspect describe stats " +
    "top watch monitor queues group groups parallel dead purge get set unset settings check";
  for (const word of others.split(" ")) {
    const [command, next] = otherCommand(word, undefined)!.split(" ");
    const target = routes.getRoutingTargetForInput(command);
    assert.ok(target, word);
    if (next === undefined || next.startsWith("-")) continue;
    assert.ok("getRoutingTargetForInput" in target && target.getRoutingTargetForInput(next), word);
  }
});

Deno.test("an unknown flag is told with one of the command, or of all commands", () => {
  const cases: Array<[string, string]> = [
    ["list --jsn", "--json"],
    ["list --stat", "--state"],
    ["list --hep", "--help"],
    ["list --versoin", "--version"],
    ["list --bd", "--db"],
    ["list --allow-share-db", "--allow-shared-db"],
    ["add --hlp", "--help"],
    ["enqueue --prio", "--priority"],
    ["enqueue --maxRetries", "--max-retries"],
    ["follow --stdotu", "--stdout"],
    ["worker start --cuont", "--count"],
    ["list --drain", ""],
    ["worker --hepl", "--help"],
    ["--hepl", "--help"],
    ["-x", ""],
  ];
  for (const [line, expected] of cases) assert.equal(offered("flag", line), expected, line);
});
