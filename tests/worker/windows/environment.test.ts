import assert from "node:assert/strict";
import { environmentBlock, mergeEnvironments } from "../../../src/worker/host/windows/environment.ts";

Deno.test("windows: names that differ in case only are one variable, the last value with the first spelling", () => {
  assert.deepEqual(
    mergeEnvironments({ Path: "C:\\a", A: "1" }, { PATH: "C:\\b", b: "2" }, { a: null, Errorlevel: null }),
    { Path: "C:\\b", b: "2" },
  );
});

Deno.test("windows: an environment block is in the order of the names", () => {
  assert.equal(environmentBlock({ b: "2", A: "1", "C_": "x=y" }), "A=1\0b=2\0C_=x=y\0");
  assert.equal(environmentBlock({}), "");
});
