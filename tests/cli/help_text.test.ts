import assert from "node:assert/strict";
import { helpText } from "../../src/cli/parser/help_text.ts";

const lines = [
  "USAGE",
  "  queuectl act [--state STATE]... [--json] <ID>...",
  "",
  "Does what is asked for with jobs that are named,",
  "or with those of a filter",
  "",
  "COLUMNS",
  "  id, state, attempts, command, created, updated",
  "",
  "FLAGS",
  "     [--state]...  <STATE> Only jobs of these states, or parts of them",
  "     [--json]      Print JSON",
  "  -h  --help       Print this help and exit",
  "",
];

Deno.test("the lines of a help are broken between words, and never within brackets", () => {
  assert.deepEqual(helpText(lines, ["queuectl", "act"], 44), [
    "USAGE",
    "  queuectl act ID... [--state STATE]...",
    "    [--json]",
    "",
    "Does what is asked for with jobs that are",
    "named, or with those of a filter.",
    "",
    "COLUMNS",
    "  id, state, attempts, command, created,",
    "  updated",
    "",
    "FLAGS",
    "     --state STATE...  Only jobs of these",
    "                       states, or parts of",
    "                       them",
    "     --json            Print JSON",
    "  -h --help            Print this help and",
    "                       exit",
    "",
  ]);
});

Deno.test("filters and changes stand apart where the usage has one word for them", () => {
  const usage = (line: string) => [
    "USAGE",
    `  queuectl move ${line}`,
    "",
    "Moves.",
    "",
    "FLAGS",
    "     [--tag]...    <TAG> Only jobs with this tag",
    "     [--queue]     <QUEUE> Where they go to",
    "     [--set]...    <KEY=VALUE> A field",
  ];
  assert.deepEqual(helpText(usage("FILTERS --queue QUEUE [CHANGES]"), ["queuectl", "move"], 80).slice(5), [
    "FILTERS",
    "     --tag TAG...  Only jobs with this tag",
    "",
    "CHANGES",
    "     --set KEY=VALUE...  A field",
    "",
    "FLAGS",
    "     --queue QUEUE  Where they go to",
  ]);
  assert.deepEqual(helpText(usage("[FLAGS]"), ["queuectl", "move"], 80).slice(5, 7), [
    "FLAGS",
    "     --tag TAG...        Only jobs with this tag",
  ]);
});

Deno.test("a group of commands has one usage line for all of them", () => {
  const group = [
    "USAGE",
    "  queuectl dlq list [--json]",
    "  queuectl dlq show <ID>",
    "",
    "Dead jobs.",
    "",
    "COMMANDS",
    "  list  List",
  ];
  assert.deepEqual(helpText(group, ["queuectl", "dlq"], 80).slice(0, 4), [
    "USAGE",
    "  queuectl dlq COMMAND [FLAGS] [ARGUMENTS]",
    "  queuectl dlq COMMAND --help",
    "",
  ]);
});
