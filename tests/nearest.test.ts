import assert from "node:assert/strict";
import fc from "fast-check";
import { didYouMean, nearest } from "../src/nearest.ts";

const known = ["command", "max_retries", "priority", "timeout", "id"];

Deno.test("nearest finds the word that was mistyped", () => {
  const cases: Array<[string, string | undefined]> = [
    ["comand", "command"],
    ["COMMAND", "command"],
    ["maxRetries", "max_retries"],
    ["prioritty", "priority"],
    ["time_out", "timeout"],
    ["ix", "id"],
    ["elephants", undefined],
    ["x".repeat(1000), undefined],
  ];
  for (const [word, expected] of cases) assert.equal(nearest(word, known), expected, word);
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
});
