import assert from "node:assert/strict";
import fc from "fast-check";
import { signedStatus, statusWords } from "../../src/job/exit_status.ts";

Deno.test("a status of 32 bits has one form, with a sign", () => {
  for (
    const [given, expected] of [
      [0, 0],
      [255, 255],
      [-1, -1],
      [4_294_967_295, -1],
      [3_221_225_786, -1_073_741_510],
      [-1_073_741_510, -1_073_741_510],
      [2 ** 31 - 1, 2 ** 31 - 1],
      [2 ** 31, -(2 ** 31)],
    ]
  ) assert.equal(signedStatus(given), expected);
  fc.assert(fc.property(fc.integer(), (status) => {
    assert.equal(signedStatus(status), status);
    assert.equal(signedStatus(status >>> 0), status);
  }));
});

Deno.test("a status is told as number and known name", () => {
  for (
    const [status, words] of [
      [0, "0"],
      [3, "3"],
      [-1, "-1"],
      [-65_536, "-65536"],
      [300, "300"],
      [9009, "9009 (command not found)"],
      [-1_073_741_510, "-1073741510 (0xC000013A, ended by Ctrl-C)"],
      [-1_073_741_819, "-1073741819 (0xC0000005, access violation)"],
      [-532_462_766, "-532462766 (0xE0434352, .NET exception)"],
      [1_073_741_845, "1073741845 (0x40000015, fatal exit of the program)"],
      // One without a name, as a program of its own or a new Windows has it.
      [-2_147_024_891, "-2147024891 (0x80070005)"],
      [2_147_483_647, "2147483647"],
    ] as const
  ) assert.equal(statusWords(status), words);
});
