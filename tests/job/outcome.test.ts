import assert from "node:assert/strict";
import fc from "fast-check";
import type { Outcome } from "../../src/job/job.ts";
import { errorText, maxErrorLength, outcomeOfStatus } from "../../src/job/outcome.ts";

Deno.test("outcomeOfStatus reads a status as an exit or as a signal", () => {
  for (const code of [0, 1, 2, 126, 127, 128, 200, 255]) {
    assert.deepEqual(outcomeOfStatus(code), { kind: "exited", code });
  }
  const signals: Array<[status: number, signal: string]> = [
    [130, "SIGINT"],
    [134, "SIGABRT"],
    [137, "SIGKILL"],
    [139, "SIGSEGV"],
    [143, "SIGTERM"],
  ];
  // Numbers of other signals differ between systems, and Windows reports none.
  for (const [code, signal] of Deno.build.os === "windows" ? [] : signals) {
    assert.deepEqual(outcomeOfStatus(code), { kind: "signaled", signal, code });
    assert.deepEqual(outcomeOfStatus(code, true), { kind: "signaled", signal, code });
  }
  for (const [code] of signals) assert.deepEqual(outcomeOfStatus(code, false), { kind: "exited", code });
});

Deno.test("outcomeOfStatus takes statuses of 32 bits, in either spelling", () => {
  for (
    const [status, code] of [[-1, -1], [256, 256], [3_221_225_786, -1_073_741_510], [
      -1_073_741_819,
      -1_073_741_819,
    ]]
  ) {
    for (const hasSignals of [true, false]) {
      assert.deepEqual(outcomeOfStatus(status, hasSignals), { kind: "exited", code });
    }
  }
});

Deno.test("outcomeOfStatus keeps the status and calls only 0 a success", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 255 }), (status) => {
    const outcome = outcomeOfStatus(status);
    assert.ok(outcome.kind === "exited" || outcome.kind === "signaled");
    assert.equal(outcome.code, status);
    if (outcome.kind === "signaled") assert.ok(status > 128);
  }));
});

Deno.test("errorText is what the command said last, or else how it ended", () => {
  const cases: Array<[outcome: Outcome, errorOutput: string, expected: string]> = [
    [{ kind: "exited", code: 3 }, "", "Command exited with code 3"],
    [{ kind: "exited", code: -1 }, "", "Command exited with code -1"],
    [
      { kind: "exited", code: -1_073_741_819 },
      "",
      "Command exited with code -1073741819 (0xC0000005, access violation)",
    ],
    [{ kind: "exited", code: 3 }, " \n", "Command exited with code 3"],
    [{ kind: "exited", code: 3 }, "\nno such file\n", "no such file"],
    [{ kind: "exited", code: 3 }, "first\nsecond\n", "first\nsecond"],
    [{ kind: "signaled", signal: "SIGKILL", code: 137 }, "", "Command was ended by SIGKILL"],
    [{ kind: "signaled", signal: "SIGKILL", code: 137 }, "memory", "memory"],
    [{ kind: "timed_out", timeout: 3_600_000 }, "", "Command timed out after 3600 seconds"],
    [{ kind: "timed_out", timeout: 1500 }, "ignored", "Command timed out after 1.5 seconds"],
    [{ kind: "spawn_failed", message: "no shell" }, "", "no shell"],
    [{ kind: "lost", message: "gone" }, "ignored", "gone"],
    [{ kind: "handed_back" }, "ignored", ""],
  ];
  for (const [outcome, errorOutput, expected] of cases) {
    assert.equal(errorText(outcome, errorOutput), expected, JSON.stringify(outcome));
  }
});

Deno.test("errorText keeps the end of a long error output", () => {
  const text = errorText({ kind: "exited", code: 1 }, `${"x".repeat(2 * maxErrorLength)}the reason\n`);
  assert.equal(text.length, maxErrorLength);
  assert.ok(text.endsWith("xthe reason"));
});

Deno.test("errorText never cuts a character in half", () => {
  for (const start of ["", "x"]) {
    const text = errorText({ kind: "exited", code: 1 }, start + "😀".repeat(maxErrorLength) + start);
    assert.ok(text.isWellFormed());
    assert.ok(text.length >= maxErrorLength - 1 && text.length <= maxErrorLength, String(text.length));
  }
});

Deno.test("errorText is never empty for a failed command, never longer than the limit", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 255 }), (errorOutput, status) => {
      const text = errorText(outcomeOfStatus(status), errorOutput);
      return text.length > 0 && text.length <= maxErrorLength && text.isWellFormed();
    }),
  );
});
