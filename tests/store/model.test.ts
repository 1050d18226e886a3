/** Random sequences of what can happen to a queue: a store and the model of it agree after every step. */

import fc from "fast-check";
import { jobStates } from "../../src/job/job.ts";
import { driverTest } from "../helpers/driver_test.ts";
import { drivers } from "../helpers/drivers.ts";
import { createModel } from "./model.ts";
import {
  cancel,
  changeAll,
  changeOne,
  enqueue,
  exchange,
  heartbeat,
  hold,
  leave,
  type Operation,
  pass,
  type Real,
  takeOver,
} from "./model_commands.ts";
import { failure, handedBack, later, lease, manualClock, newJob, success } from "./suite/harness.ts";

const place = fc.nat(2);
const outcome = fc.constantFrom(
  success,
  failure,
  failure,
  handedBack,
  later,
  { kind: "timed_out", timeout: 1000 } as const,
  { kind: "signaled", signal: "SIGKILL", code: 137 } as const,
  { kind: "lost", message: "gone" } as const,
);
const result = fc.record({ pick: fc.nat(5), outcome });
const job = fc.tuple(
  fc.constantFrom(..."abcdefghijklmnop"),
  fc.constantFrom(0, 0, 1, -1),
  fc.nat(2),
  fc.constantFrom(0, 1, 2, null),
  fc.constantFrom(
    ...[{}, {}, { tags: ["t"] }, { tags: ["t", "u"], queue: "q" }],
    ...[{ uniqueKey: "k" }, { uniqueKey: "l", onDuplicate: "keep" as const }],
    ...["k", "l"].map((uniqueKey) => ({ uniqueKey, onDuplicate: "replace" as const, queue: "q" })),
  ),
  fc.constantFrom({}, {}, {}, { held: true }, { delay: 0 }, { delay: 1500 }, { at: 1 }, {
    at: manualClock().now() + 3000,
  }),
).map(([id, priority, maxRetries, baseBackoff, extras, start]) =>
  newJob(id, { priority, maxRetries, baseBackoff, ...extras, ...start })
);

const operation = fc.constantFrom<Operation>("retry", "remove", "dlqRetry", "dlqPurge");

const commands = fc.commands([
  fc.array(job, { maxLength: 3 }).map(enqueue),
  fc.tuple(place, fc.integer({ min: 1, max: 3 })).map(([worker, want]) => exchange(worker, [], want)),
  fc.tuple(place, result).map(([worker, one]) => exchange(worker, [one], 0)),
  fc.tuple(place, fc.array(result, { maxLength: 4 }), fc.nat(3)).map(([worker, results, want]) =>
    exchange(worker, results, want)
  ),
  fc.constantFrom(1, 999, 1000, 2000, 4000, lease, lease + 1).map(pass),
  place.map(heartbeat),
  place.map(leave),
  fc.tuple(place, fc.uniqueArray(place)).map(([heir, lost]) => takeOver(heir, lost)),
  fc.constantFrom(..."abcdefghijklmnop").map(cancel),
  fc.tuple(fc.constantFrom("hold" as const, "release" as const), fc.constantFrom(..."abcdefgh", null)).map(
    ([name, id]) => hold(name, id),
  ),
  fc.tuple(operation, fc.subarray([...jobStates])).map(([name, states]) => changeAll(name, states)),
  fc.tuple(operation, fc.constantFrom(..."abcdefghijklmnop")).map(([name, id]) => changeOne(name, id)),
], { maxCommands: 60, size: "max" });

/** Sequences that are tried; on a server each of them makes a schema, and asks over a connection. */
const runs = { sqlite: 100, postgres: 25 };

for (const driver of drivers) {
  driverTest(driver, "the store and its model agree after every step of any sequence", async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const clock = manualClock();
        await using database = await driver.open(clock.now);
        const real: Real = { store: await database.connect(), clock, workers: [], claims: [] };
        await fc.asyncModelRun(() => ({ model: createModel(), real }), steps);
      }),
      { numRuns: runs[driver.name] },
    );
  });
}
