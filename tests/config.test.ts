import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkSetting,
  checkSettingName,
  configFrom,
  databaseUrl,
  defaultSetting,
  settingNames,
} from "../src/job/settings.ts";
import { QueuectlError } from "../src/base/errors.ts";

/** The error is one line for the user, of kind `usage`, and holds every part. */
const usage = (...parts: string[]) => (error: unknown) => {
  assert.ok(error instanceof QueuectlError, String(error));
  assert.equal(error.code, "usage");
  assert.ok(!error.message.includes("\n"), error.message);
  for (const part of parts) assert.ok(error.message.includes(part), error.message);
  return true;
};

const defaults = {
  maxRetries: 3,
  backoff: "exponential",
  baseBackoff: 2,
  maxBackoff: 3_600_000,
  jitter: 0,
  timeout: 3_600_000,
  grace: 10_000,
  lease: 30_000,
  maxOutput: 1_048_576,
  maxPostponed: Infinity,
};

Deno.test("the settings are those of the contract, with its defaults", () => {
  assert.deepEqual(settingNames.map((name) => [name, defaultSetting(name)]), [
    ["max-retries", "3"],
    ["backoff", "exponential"],
    ["base-backoff", "2"],
    ["max-backoff", "1h"],
    ["jitter", "0"],
    ["max-postponed", "none"],
    ["timeout", "1h"],
    ["grace", "10s"],
    ["lease", "30s"],
    ["max-output", "1MiB"],
  ]);
  assert.deepEqual(configFrom([]), defaults);
});

const stored: Array<[name: string, text: string, stored: string]> = [
  ["max-retries", "0", "0"],
  ["max-retries", "1000", "1000"],
  ["base-backoff", "0", "0"],
  ["base-backoff", "1.50", "1.5"],
  ["base-backoff", "1000", "1000"],
  ["base-backoff", "0.333333333333", "0.333333333"],
  ["base-backoff", "1e-3", "0.001"],
  ["max-retries", "1e1", "10"],
  ["backoff", "linear", "linear"],
  ["backoff", "fixed", "fixed"],
  ["max-backoff", "0s", "0s"],
  ["jitter", "0", "0"],
  ["jitter", "0.50", "0.5"],
  ["jitter", "0.333333333333", "0.333333333"],
  ["jitter", "1.0", "1"],
  ["max-postponed", "0", "0"],
  ["max-postponed", "1000000", "1000000"],
  ["max-postponed", "none", "none"],
  ["timeout", "1.5m", "90s"],
  ["timeout", "0", "0s"],
  ["grace", "60", "1m"],
  ["lease", "2s", "2s"],
  ["max-output", "1024", "1KiB"],
  ["max-output", "64mib", "64MiB"],
];

for (const [name, text, expected] of stored) {
  Deno.test(`checkSetting("${name}", "${text}") is stored as ${expected}`, () => {
    assert.equal(checkSetting(name, text), expected);
  });
}

Deno.test("checkSetting refuses a bad value, naming the setting, the value and what is expected", () => {
  const cases: Array<[name: string, text: string, expects: string]> = [
    ["max-retries", "-1", "from 0 to 1000"],
    ["max-retries", "1001", "from 0 to 1000"],
    ["max-retries", "1.5", "whole number"],
    ["max-retries", "", "whole number"],
    ["max-retries", "three", "whole number"],
    ["base-backoff", "-0.5", "from 0 to 1000"],
    ["base-backoff", "1000.1", "from 0 to 1000"],
    ["base-backoff", "2s", "number of seconds"],
    ["max-backoff", "-1s", "at least 0s"],
    ["max-postponed", "1000001", "or none"],
    ["max-postponed", "1.5", "or none"],
    ["timeout", "soon", "duration"],
    ["grace", "36501d", "duration"],
    ["lease", "1999ms", "at least 2s"],
    ["max-output", "1023", "from 1KiB to 64MiB"],
    ["max-output", "65MiB", "from 1KiB to 64MiB"],
  ];
  for (const [name, text, expects] of cases) {
    assert.throws(() => checkSetting(name, text), usage(`"${name}"`, `"${text}"`, expects));
  }
});

Deno.test("an unknown setting is refused with the nearest name and the list of names", () => {
  assert.throws(
    () => checkSettingName("max-retry"),
    usage(`"max-retry"`, `did you mean "max-retries"?`, "max-output"),
  );
  for (const name of ["", "constructor", "__proto__", "toString", "maxRetries"]) {
    assert.throws(() => checkSetting(name, "1"), usage(`"${name}"`));
  }
  for (const name of settingNames) checkSettingName(name);
});

Deno.test("stored settings replace the defaults one by one", () => {
  assert.deepEqual(configFrom([["max-retries", "7"], ["grace", "500ms"]]), {
    ...defaults,
    maxRetries: 7,
    grace: 500,
  });
  assert.deepEqual(configFrom([["base-backoff", "0"], ["max-output", "64KiB"]]), {
    ...defaults,
    baseBackoff: 0,
    maxOutput: 65_536,
  });
});

Deno.test("a stored text that is not valid, and a name that is not known, count as not set", () => {
  assert.deepEqual(configFrom([["max-retries", "many"], ["lease", "1ms"], ["backoff_base", "5"]]), defaults);
});

Deno.test("a value that is taken stays the same when it is read back and checked again", () => {
  const text = fc.oneof(
    fc.integer({ min: 0, max: 2000 }).map(String),
    fc.double({ min: 0, max: 1000, noNaN: true }).map((value) => value.toFixed(9)),
    fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.constantFrom("ms", "s", "m", "h", "d", "B", "KiB", "MiB"))
      .map(([value, unit]) => `${value}${unit}`),
  );
  const examples: Array<[string, string]> = [["base-backoff", "0.000000001"]];
  fc.assert(
    fc.property(fc.constantFrom(...settingNames), text, (name, value) => {
      let taken: string;
      try {
        taken = checkSetting(name, value);
      } catch (error) {
        return usage(name)(error);
      }
      assert.equal(checkSetting(name, taken), taken);
    }),
    { examples },
  );
});

Deno.test("databaseUrl takes the flag, else the environment, else queuectl.db", async () => {
  const module = import.meta.resolve("../src/job/settings.ts");
  // The environment belongs to the whole test run, so another process is asked.
  const ask = async (flag: string | undefined, QUEUECTL_DB: string) => {
    const code = `import { databaseUrl } from "${module}"; console.log(databaseUrl(${JSON.stringify(flag)}))`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", code],
      env: { QUEUECTL_DB },
    })
      .output();
    return new TextDecoder().decode(stdout).trim();
  };
  assert.equal(databaseUrl("flag.db"), "flag.db");
  assert.deepEqual(
    await Promise.all([
      ask("flag.db", "environment.db"),
      ask(undefined, "environment.db"),
      ask(undefined, ""),
    ]),
    ["flag.db", "environment.db", "queuectl.db"],
  );
});
