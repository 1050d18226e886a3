import assert from "node:assert/strict";
import fc from "fast-check";
import { didYouMean, distance, nearest, nearestId, nearestOf } from "../src/base/nearest.ts";

const known = ["command", "max_retries", "priority", "timeout", "id"];
const commands = [
  "add",
  "cancel",
  "edit",
  "help",
  "hold",
  "list",
  "log",
  "logs",
  "rm",
  "run",
  "show",
  "status",
  "wait",
];
const states = ["pending", "processing", "completed", "failed", "dead", "cancelled", "waiting", "held"];

Deno.test("nearest finds the word that was mistyped, and none that differs in about half of its letters", () => {
  const cases: Array<[string, readonly string[], string | undefined]> = [
    ["comand", known, "command"],
    ["COMMAND", known, "command"],
    ["maxRetries", known, "max_retries"],
    ["max-retry", ["max-retries", "max-output"], "max-retries"],
    ["prioritty", known, "priority"],
    ["time_out", known, "timeout"],
    ["ix", known, undefined],
    ["di", known, "id"],
    ["prio", known, "priority"],
    ["elephants", known, undefined],
    ["x".repeat(1000), known, undefined],
    ["", known, undefined],
    ["x", commands, undefined],
    ["ad", commands, "add"],
    ["adds", commands, "add"],
    ["hel", commands, "help"],
    ["hepl", commands, "help"],
    ["hlp", commands, "help"],
    ["stop", commands, undefined],
    ["foo", commands, undefined],
    ["lits", commands, "list"],
    ["statsu", commands, "status"],
    ["stat", commands, "status"],
    ["cancle", commands, "cancel"],
    ["running", states, undefined],
    ["faild", states, "failed"],
    ["canceled", states, "cancelled"],
    ["hold", states, "held"],
    ["done", states, undefined],
    ["mdeia", ["media", "default"], "media"],
    ["mail", ["media", "default"], undefined],
    ["a", ["b"], undefined],
    ["q1", ["q2"], undefined],
  ];
  for (const [word, list, expected] of cases) assert.equal(nearest(word, list), expected, word);
});

Deno.test("words that are equally near are all given, a beginning of several is none", () => {
  assert.deepEqual(nearestOf("rum", commands), ["rm", "run"]);
  assert.deepEqual(nearestOf("logz", commands), ["log", "logs"]);
  assert.deepEqual(nearestOf("max", ["max_retries", "max_backoff"]), []);
});

Deno.test("two letters that changed places are one mistake", () => {
  const cases: Array<[string, string, number]> = [
    ["hepl", "help", 1],
    ["help", "help", 0],
    ["nightyl", "nightly", 1],
    ["teh", "the", 1],
    ["abcd", "dcba", 3],
    ["versoin", "version", 1],
    ["", "ab", 2],
  ];
  for (const [typed, word, mistakes] of cases) assert.equal(distance(typed, word), mistakes, typed);
});

Deno.test("nearest knows nothing where nothing is known", () => {
  assert.equal(nearest("command", []), undefined);
});

Deno.test("nearest gives a known word or undefined, and a known word for itself", () => {
  const words = fc.array(fc.stringMatching(/^[a-z_]{1,12}$/), { maxLength: 8 });
  fc.assert(fc.property(words, fc.string(), (list, word) => {
    const found = nearest(word, list);
    assert.ok(found === undefined || list.includes(found));
    for (const each of list) assert.equal(nearest(each, list), each);
  }));
});

Deno.test("didYouMean asks where there is a near word and is silent where there is none", () => {
  assert.equal(didYouMean("comand", known), ` (did you mean "command"?)`);
  assert.equal(didYouMean("elephants", known), "");
  assert.equal(didYouMean("Running", states, { running: "processing" }), ` (did you mean "processing"?)`);
  assert.equal(didYouMean("runing", states, { running: "processing" }), ` (did you mean "processing"?)`);
  assert.equal(didYouMean("constructor", states, { running: "processing" }), "");
});

Deno.test("of ids that are equally near the one that was typed to its end is meant", () => {
  const cases: Array<[string, string[], string | undefined]> = [
    ["nightyl", ["nightly2", "nightly"], "nightly"],
    ["nightyl", ["nightly", "nightly2"], "nightly"],
    ["nighty2", ["nightly", "nightly2"], "nightly2"],
    ["nigt", ["nightly2", "nightly"], "nightly"],
    ["weelky", ["nightly", "weekly-report"], "weekly-report"],
    ["ni", ["nightly"], undefined],
    ["yearly", ["nightly"], undefined],
    ["x".repeat(1000), ["nightly"], undefined],
  ];
  for (const [typed, ids, expected] of cases) assert.equal(nearestId(typed, ids), expected, typed);
});
