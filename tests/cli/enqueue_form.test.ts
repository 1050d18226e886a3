import assert from "node:assert/strict";
import { type EnqueueForm, formOf } from "../../src/cli/arguments/enqueue_form.ts";

Deno.test("the form of a job is seen by how it is written", () => {
  const cases: Array<
    [before: string[], behind: string[] | undefined, file: string | undefined, EnqueueForm]
  > = [
    [['{"command": "x"}'], undefined, undefined, { kind: "json", text: '{"command": "x"}' }],
    [[" {}"], undefined, undefined, { kind: "json", text: " {}" }],
    [["{ echo; }"], undefined, undefined, { kind: "json", text: "{ echo; }" }],
    [["ls -l | wc"], undefined, undefined, { kind: "shell", text: "ls -l | wc" }],
    [['"x"'], undefined, undefined, { kind: "shell", text: '"x"' }],
    [["-"], undefined, undefined, { kind: "lines", file: null }],
    [[], undefined, "a b", { kind: "lines", file: "a b" }],
    [[], undefined, "-", { kind: "lines", file: null }],
    [[], undefined, "/dev/stdin", { kind: "lines", file: null }],
    [['{"command": "\uFFFD"}'], undefined, undefined, { kind: "json", text: '{"command": "\uFFFD"}' }],
    [[], ["ls"], undefined, { kind: "words", words: ["ls"] }],
    [[], ["ls -l"], undefined, { kind: "words", words: ["ls -l"] }],
    [[], ["[", "-e", "x", "]"], undefined, { kind: "words", words: ["[", "-e", "x", "]"] }],
    [[], ["{", "x"], undefined, { kind: "words", words: ["{", "x"] }],
    [[], ['{"command": "x"}'], undefined, { kind: "json", text: '{"command": "x"}' }],
  ];
  for (const [before, behind, file, expected] of cases) {
    assert.deepEqual(formOf([...before, ...behind ?? []], behind, file), expected);
  }
});

Deno.test("no form and more than one are refused", () => {
  const cases: Array<[before: string[], behind: string[] | undefined, file: string | undefined, RegExp]> = [
    [
      [],
      undefined,
      undefined,
      /^Give a command to run, in quotes or behind --: .*\. Run queuectl enqueue --help$/,
    ],
    [[""], undefined, undefined, /^The command is empty$/],
    [[" \n"], undefined, undefined, /^The command is empty$/],
    [["[1]"], undefined, undefined, /^A job must be a JSON object, .*queuectl enqueue -- COMMAND/],
    [["[ -e x ] && y"], undefined, undefined, /: sh knows that as "test"/],
    [["echo", "hi"], undefined, undefined, /^Unexpected argument "hi": .*queuectl enqueue -- COMMAND/],
    [["a"], ["b"], undefined, /^Only one of/],
    [["a"], undefined, "b", /^Only one of/],
    [["-"], undefined, "b", /^Only one of/],
    [[], ["a"], "b", /^Only one of/],
    [["-"], [], undefined, /^Only one of/],
    [["cat caf\uFFFD"], undefined, undefined, /^The command is not valid UTF-8/],
    [[], ["cat", "caf\uFFFD"], undefined, /^An argument is not valid UTF-8, .*"caf\uFFFD"/],
  ];
  for (const [before, behind, file, message] of cases) {
    assert.throws(() => formOf([...before, ...behind ?? []], behind, file), { code: "usage", message });
  }
});
