import type { Queue } from "../../../src/store/queues.ts";
import assert from "node:assert/strict";
import { whyItWaits } from "../../../src/cli/follow/describe_waiting.ts";
import { endWords, exitStatusOf } from "../../../src/cli/follow/describe_end.ts";
import type { JobState } from "../../../src/job/job.ts";
import type { EndedRun, JobDetail } from "../../../src/store/progress.ts";
import type { RegisteredProcess } from "../../../src/store/store.ts";

const run = (fields: Partial<EndedRun>): EndedRun => ({
  run: 1,
  number: 1,
  worker: "host:1",
  startedAt: 0,
  endedAt: 2500,
  outcome: "exited",
  exitCode: null,
  signal: null,
  ...fields,
});

Deno.test("a job has the exit status of its last run", () => {
  const cases: Array<[JobState, Partial<EndedRun> | undefined, number]> = [
    ["completed", { exitCode: 0 }, 0],
    ["completed", undefined, 0],
    ["dead", { exitCode: 3 }, 3],
    ["dead", { outcome: "signaled", signal: "SIGKILL", exitCode: 137 }, 137],
    ["dead", { outcome: "timed_out" }, 142],
    ["dead", { outcome: "lost" }, 137],
    ["dead", { outcome: "spawn_failed" }, 126],
    ["dead", undefined, 1],
    ["cancelled", { exitCode: 3 }, 143],
    ["cancelled", undefined, 143],
  ];
  for (const [state, last, expected] of cases) {
    assert.equal(exitStatusOf(state, last && run(last)), expected, JSON.stringify([state, last]));
  }
  // Those of Windows are passed on there; elsewhere they must not become 0, or that of something else.
  for (const exitCode of [-1, -5, 256, 300, -1_073_741_510, -(2 ** 31), 2 ** 31 - 256]) {
    assert.equal(exitStatusOf("dead", run({ exitCode }), true), exitCode);
    assert.equal(exitStatusOf("dead", run({ exitCode }), false), 1);
  }
  assert.deepEqual(
    [true, false].map((isWindows) => exitStatusOf("dead", run({ exitCode: 255 }), isWindows)),
    [
      255,
      255,
    ],
  );
});

Deno.test("how an attempt ended is said in one line", () => {
  const cases: Array<[Partial<EndedRun>, string]> = [
    [{ exitCode: 0 }, "Attempt 1 of job a completed after 2.5s"],
    [{ exitCode: 3, number: 2 }, "Attempt 2 of job a failed after 2.5s: exit code 3"],
    [
      { exitCode: -1_073_741_510 },
      "Attempt 1 of job a failed after 2.5s: exit code -1073741510 (0xC000013A, ended by Ctrl-C)",
    ],
    [{ exitCode: 75 }, "Attempt 1 of job a asked to be run again later, after 2.5s (exit code 75)"],
    [{ outcome: "signaled", signal: "SIGTERM" }, "Attempt 1 of job a failed after 2.5s: SIGTERM"],
    [{ outcome: "timed_out" }, "Attempt 1 of job a failed after 2.5s: timed out"],
    [{ outcome: "handed_back" }, "Attempt 1 of job a was handed back to the queue after 2.5s"],
    [{ outcome: "cancelled" }, "Attempt 1 of job a was cancelled after 2.5s"],
  ];
  for (const [fields, expected] of cases) assert.equal(endWords("a", run(fields)), expected);
});

Deno.test("why a job waits is said in one line", () => {
  const worker = { role: "worker", expired: false, stop: null } as RegisteredProcess;
  const workers = [worker];
  const none = "no worker runs; start one: queuectl worker start";
  const silent = [{ ...worker, expired: true }, { ...worker, stop: { grace: 0 } }, {
    ...worker,
    role: "manager" as const,
  }];
  const held = { held: true } as JobDetail["job"];
  const job = {
    id: "a",
    queue: "default",
    job: { held: false, blocked: 0 },
    state: "pending",
    attempts: 0,
    maxRetries: 3,
    dueIn: null,
    cancelling: false,
    ahead: 0,
  };
  const waiting = (blocked: number) => ({
    ahead: null,
    job: { blocked } as JobDetail["job"],
    parents: [{ id: "a", state: "processing", kind: "any" }] as JobDetail["parents"],
  });
  const parent = (fields: Partial<JobDetail["parents"][number]>) => ({
    ...waiting(1),
    parents: [{
      id: "b",
      state: "pending",
      kind: "any",
      queue: "mail",
      held: false,
      ...fields,
    }] as JobDetail["parents"],
  });
  const cases: Array<[Partial<JobDetail>, RegisteredProcess[], string | null]> = [
    [{}, workers, "waits for a free worker, no job before it"],
    [waiting(1), workers, "waits for job a, which is processing"],
    [{ ...waiting(2), dueIn: 5 }, workers, "waits for job a, which is processing, and 1 more job"],
    [waiting(9), [], `waits for job a, which is processing, and 8 more jobs; ${none}`],
    [parent({ held: true }), workers, "waits for job b, which is held"],
    [parent({}), workers, "waits for job b, which is pending in queue mail, which is paused"],
    [parent({ queue: "default" }), workers, "waits for job b, which is pending"],
    [parent({ state: "processing" }), workers, "waits for job b, which is processing"],
    [{ ahead: 1 }, workers, "waits for a free worker, 1 job before it"],
    [{ ahead: 10_000 }, workers, "waits for a free worker, 10000 jobs or more before it"],
    [{}, [], `waits: ${none}`],
    [{}, silent, `waits: ${none}`],
    [{ dueIn: 90_000, ahead: null }, workers, "waits for its time, in 1m 30s"],
    [
      { state: "failed", attempts: 1, dueIn: 2000, ahead: null },
      workers,
      "waits for its retry (attempt 2 of 4), in 2s",
    ],
    [
      { state: "failed", attempts: 1, dueIn: 2000 },
      [],
      `waits for its retry (attempt 2 of 4), in 2s; ${none}`,
    ],
    [{ state: "failed", attempts: 1, dueIn: -50, ahead: null }, workers, "waits for a free worker"],
    [{ job: held, ahead: null }, [], "is held; release it: queuectl release a"],
    [{ job: held, dueIn: 2000 }, workers, "is held; release it: queuectl release a"],
    [{ state: "processing", cancelling: true }, workers, "is being cancelled"],
    [{ state: "processing", cancelling: true, stopped: true }, [], `is being cancelled; ${none}`],
    [{ state: "processing", stopped: true }, workers, "is suspended; resume it: queuectl signal a CONT"],
    [{ state: "processing", stopped: true }, [], `is suspended; resume it: queuectl signal a CONT; ${none}`],
    [{ state: "processing" }, workers, null],
    [{ state: "completed" }, [], null],
    [{ state: "dead" }, [], null],
    [{ state: "cancelled" }, [], null],
  ];
  for (const [fields, processes, expected] of cases) {
    const why = whyItWaits({ ...job, ...fields } as JobDetail, processes, [
      { name: "mail", paused: true } as Queue,
    ]);
    assert.equal(why?.text ?? null, expected, JSON.stringify(fields));
  }
});

Deno.test("a queue that starts nothing, or that no worker takes, is told as that", () => {
  const job = {
    id: "a",
    queue: "mail",
    job: { held: false, blocked: 0 },
    state: "pending",
    dueIn: null,
    ahead: 3,
  };
  const queue = (name: string, fields: Partial<Queue>) =>
    ({
      name,
      paused: false,
      concurrency: null,
      nextStart: null,
      counts: { processing: 2 },
      ...fields,
    }) as Queue;
  const slow = (
    fields: Partial<Queue>,
  ) => [queue("", {}), queue("mail", { rate: 10, ratePeriod: 60_000, ...fields })];
  const worker = { role: "worker", expired: false, stop: null, queues: null } as RegisteredProcess;
  const others = { ...worker, queues: ["build"] };
  const cases: Array<[Queue[], RegisteredProcess[], string]> = [
    [
      [queue("", {}), queue("mail", { concurrency: 3 })],
      [worker],
      "waits for a free worker, 3 jobs before it",
    ],
    [
      [queue("mail", { paused: true })],
      [worker],
      "waits: queue mail is paused; resume it: queuectl resume mail",
    ],
    [[queue("", { paused: true })], [], "waits: all queues are paused; resume them: queuectl resume"],
    [[queue("mail", { concurrency: 2 })], [worker], "waits for a place: 2 of 2 jobs of queue mail run"],
    [[queue("", { concurrency: 1 })], [worker], "waits for a place: 2 of 1 jobs of all queues run"],
    [slow({}), [worker], "waits for a free worker, 3 jobs before it"],
    [
      slow({ nextStart: 4000 }),
      [worker],
      "waits for its turn: queue mail may start 10 jobs a minute, the next in 4s, 3 jobs before it",
    ],
    [
      slow({ nextStart: 400, rate: 1, ratePeriod: 30_000 }),
      [],
      "waits for its turn: queue mail may start 1 job in 30s, the next in 400ms, 3 jobs before it; " +
      "no worker runs; start one: queuectl worker start",
    ],
    [
      slow({ nextStart: 400, paused: true }),
      [worker],
      "waits: queue mail is paused; resume it: queuectl resume mail",
    ],
    [[queue("other", { paused: true })], [worker], "waits for a free worker, 3 jobs before it"],
    [
      [],
      [others],
      "waits: no worker takes jobs of queue mail; start one: queuectl worker start --queue mail",
    ],
  ];
  for (const [queues, processes, text] of cases) {
    assert.equal(whyItWaits(job as unknown as JobDetail, processes, queues)?.text, text);
  }
  const stopped: Array<[Queue[], string]> = [
    [[queue("mail", { paused: true })], "resume mail --commands"],
    [[queue("", { paused: true }), queue("mail", { paused: true })], "resume --commands"],
    [[queue("other", { paused: true })], "signal a CONT"],
  ];
  for (const [queues, command] of stopped) {
    const why = whyItWaits(
      { ...job, state: "processing", stopped: true } as unknown as JobDetail,
      [worker],
      queues,
    );
    assert.equal(why?.text, `is suspended; resume it: queuectl ${command}`);
  }
});
