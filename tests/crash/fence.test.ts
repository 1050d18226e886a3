/**
 * A worker that cannot renew its lease ends its commands before another host may start them again; one that was not there
 * when it was time does so first thing.
 */

import assert from "node:assert/strict";
import { sendSignal } from "../../src/worker/host/processes.ts";
import { quote } from "../../src/job/shell_words.ts";
import { untilNoneWith } from "../helpers/host_processes.ts";
import { type SharedQueue, sharedTest } from "../helpers/shared_queue.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** A command that tells again and again, with the time in nanoseconds and its host, that it lives; until a file is there. */
const ticking = 'while [ ! -e go ]; do echo "$(hostname) $(date +%s%N)" >>ticks; sleep 0.05; done';

interface Tick {
  host: string;
  time: bigint;
}

function ticks(queue: SharedQueue): Tick[] {
  return queue.read("ticks").split("\n").filter((line) => /^\S+ \d+$/.test(line)).map((line) => {
    const [host, time] = line.split(" ");
    return { host, time: BigInt(time) };
  });
}

const untilTicking = (queue: SharedQueue, host: string, count = 1) =>
  waitFor(
    `${count} signs of life on ${host}`,
    () => ticks(queue).filter((tick) => tick.host === host).length >= count,
    () => queue.read("ticks"),
  );

/** Where it lived, it did not after it began elsewhere. */
function assertApart(queue: SharedQueue): void {
  const found = ticks(queue).sort((a, b) => a.time < b.time ? -1 : 1);
  const changes = found.filter(({ host }, index) => index > 0 && found[index - 1].host !== host);
  assert.deepEqual(changes.map(({ host }) => host), ["b"], queue.read("ticks"));
}

sharedTest("a worker that is cut off ends its command before another host starts it", async (queue) => {
  const [a, b] = [await queue.host("a"), await queue.host("b")];
  await queue.enqueue({ id: "job", command: ticking });
  const first = queue.start(a);
  await untilTicking(queue, "a");
  const second = queue.start(b);
  await second.line(/Worker-1: started$/);
  a.cut();
  await first.line(/could not renew its lease; ends the command it runs, before another host may take over$/);
  await untilTicking(queue, "b", 10);
  assertApart(queue);
  queue.touch("go");
  await queue.reaches("job", "completed");
  assert.deepEqual(await queue.outcomes("job"), [[1, "lost"], [2, "exited"]]);
  // Its own result comes too late, and it works again.
  a.restore();
  await first.line(/job job belongs to another worker now, this result is dropped$/);
  assert.equal((await a.run("worker", "stop", "--host", "b")).stdout, "Stopped 1 worker manager.\n");
  await second.status;
  await queue.enqueue({ id: "next", command: "true" });
  await first.line(/job next completed successfully$/);
  assert.deepEqual(await queue.outcomes("job"), [[1, "lost"], [2, "exited"]]);
});

sharedTest(
  "where nobody takes over, the job is handed back, and the attempt does not count",
  async (queue) => {
    const a = await queue.host("a");
    // A shell of its own, which carries the mark, and does not listen to TERM.
    const mark = `${queue.path}/stubborn`;
    const command = `exec sh -c ${quote(`trap '' TERM; ${ticking}`)}`;
    await queue.enqueue({ id: "job", command, env: { MARK: mark } });
    const manager = queue.start(a);
    await untilTicking(queue, "a");
    a.cut();
    await manager.line(/ends the command it runs/);
    await untilNoneWith(mark);
    queue.touch("go");
    // Claims nothing before it has renewed its lease.
    await queue.enqueue({ id: "other", command: "true" });
    assert.ok(!manager.lines.some((line) => /picked job other/.test(line)));
    a.restore();
    await manager.line(/job job handed back to the queue$/);
    await manager.line(/job job completed successfully$/);
    await manager.line(/job other completed successfully$/);
    assert.deepEqual(await queue.outcomes("job"), [[1, "handed_back"], [1, "exited"]]);
  },
);

sharedTest("a command that was adopted is ended too", async (queue) => {
  const a = await queue.host("a");
  await queue.enqueue({ id: "job", command: ticking });
  const manager = queue.start(a);
  await untilTicking(queue, "a");
  const [worker] = await a.workers();
  sendSignal(worker, "SIGKILL");
  await manager.line(/adopted job job/);
  a.cut();
  await manager.line(/ends the command it runs/);
  queue.touch("go");
  a.restore();
  await manager.line(/job job handed back to the queue$/);
  await queue.reaches("job", "completed");
});

sharedTest("a worker that wakes after its lease ends its command first thing", async (queue) => {
  const [a, b] = [await queue.host("a"), await queue.host("b")];
  await queue.enqueue({ id: "job", command: ticking });
  const first = queue.start(a);
  await untilTicking(queue, "a");
  const second = queue.start(b);
  const [worker] = await a.workers();
  sendSignal(worker, "SIGSTOP");
  await untilTicking(queue, "b");
  sendSignal(worker, "SIGCONT");
  await first.line(/ends the command it runs/);
  await first.line(/belongs to another worker now, this result is dropped$/);
  // From here on only the other one lives.
  const from = ticks(queue).filter(({ host }) => host === "a").length;
  await untilTicking(queue, "b", ticks(queue).filter(({ host }) => host === "b").length + 10);
  assert.equal(ticks(queue).filter(({ host }) => host === "a").length, from);
  queue.touch("go");
  await second.line(/job job completed successfully$/);
  assert.deepEqual(await queue.outcomes("job"), [[1, "lost"], [2, "exited"]]);
});

sharedTest("a worker that wakes leaves alone what another one of its host has adopted", async (queue) => {
  const a = await queue.host("a");
  await queue.enqueue({ id: "job", command: `echo ran >>ran; ${ticking}` });
  const first = queue.start(a);
  await untilTicking(queue, "a");
  const [worker] = await a.workers();
  sendSignal(worker, "SIGSTOP");
  const second = queue.start(a);
  await second.line(/adopted job job/);
  sendSignal(worker, "SIGCONT");
  await first.line(/was taken for gone/);
  await untilTicking(queue, "a", ticks(queue).length + 10);
  queue.touch("go");
  await second.line(/job job completed successfully$/);
  assert.equal(queue.read("ran"), "ran\n");
  assert.deepEqual(await queue.outcomes("job"), [[1, "exited"]]);
});

sharedTest(
  "a host whose programs were all killed ends what is another host's when it is back",
  async (queue) => {
    const [a, b] = [await queue.host("a"), await queue.host("b")];
    await queue.enqueue({ id: "job", command: ticking });
    queue.start(a);
    await untilTicking(queue, "a");
    await a.killPrograms();
    // Nobody is there to end it: this is the limit of the promise.
    const second = queue.start(b);
    await untilTicking(queue, "b");
    await untilTicking(queue, "a", ticks(queue).filter(({ host }) => host === "a").length + 1);
    const third = queue.start(a);
    await third.line(/Worker-1: started$/);
    const from = ticks(queue).filter(({ host }) => host === "a").length;
    await untilTicking(queue, "b", ticks(queue).filter(({ host }) => host === "b").length + 10);
    assert.equal(ticks(queue).filter(({ host }) => host === "a").length, from);
    queue.touch("go");
    await second.line(/job job completed successfully$/);
    // A claim whose answer came late on a busy machine was handed back, and is no attempt.
    const outcomes = (await queue.outcomes("job")).filter(([, outcome]) => outcome !== "handed_back");
    assert.deepEqual(outcomes, [[1, "lost"], [2, "exited"]]);
  },
);

sharedTest("a host whose programs were all killed adopts what is still its own", async (queue) => {
  const a = await queue.host("a");
  await queue.enqueue({ id: "job", command: ticking });
  queue.start(a);
  await untilTicking(queue, "a");
  await a.killPrograms();
  const again = queue.start(a);
  await again.line(/adopted job job/);
  queue.touch("go");
  await again.line(/job job completed successfully$/);
  assert.deepEqual(await queue.outcomes("job"), [[1, "exited"]]);
});
