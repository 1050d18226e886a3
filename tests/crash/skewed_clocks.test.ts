/**
 * Hosts whose clocks are two hours apart share a queue: the time is the server's, so delays, leases and what is shown are
 * right on each of them. A SQLite file is for one host, which has one clock.
 */

import assert from "node:assert/strict";
import { postgresAlone } from "../helpers/drivers.ts";
import { sourceOnly } from "../helpers/left_out.ts";
import { otherHost } from "../helpers/other_host.ts";
import { type Queue, queueTest } from "../helpers/queue_test.ts";
import { untilFile } from "../helpers/shell_commands.ts";
import { shortLease } from "../helpers/short_lease.ts";
import { waitFor } from "../helpers/wait_for.ts";

const hour = 3_600_000;
const options = () => ({
  on: postgresAlone,
  ignore: sourceOnly("clocks of other hosts, which are set in the source"),
});

/** The host whose clock is late, and the one whose clock is early. */
const hosts = (queue: Queue) => [otherHost(queue, "behind", -hour), otherHost(queue, "ahead", hour)] as const;

/** Milliseconds since 1970 by the clock of the server. */
async function serverTime(queue: Queue): Promise<number> {
  const [{ now }] = await queue.place.query(
    "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now",
  );
  return now as number;
}

for (const direction of ["behind to ahead", "ahead to behind"]) {
  queueTest(`hosts with skewed clocks agree on a retry, from ${direction}`, async (queue) => {
    const [behind, ahead] = hosts(queue);
    const [first, second] = direction === "behind to ahead" ? [behind, ahead] : [ahead, behind];
    const before = await serverTime(queue);
    const job = { id: "a", command: '[ "$QUEUECTL_ATTEMPT" = 2 ]', base_backoff: 2, max_retries: 1 };
    assert.equal((await second.run("enqueue", JSON.stringify(job))).code, 0);
    const manager = first.start();
    const { updatedAt, nextAttemptAt } = await queue.reaches("a", "failed");
    assert.equal(nextAttemptAt, updatedAt + 2000);
    manager.signal("SIGTERM");
    await manager.status;
    await second.start("--drain").status;
    const { createdAt, state } = await queue.job("a");
    const [failed, retried] = await queue.store.attempts("a");
    assert.equal(state, "completed");
    const times = [before, createdAt, failed.startedAt, failed.endedAt, retried.startedAt, retried.endedAt];
    times.push(await serverTime(queue));
    assert.deepEqual(times, times.toSorted((a, b) => a - b));
    assert.ok(retried.startedAt >= nextAttemptAt, JSON.stringify([failed, retried]));
    assert.deepEqual([failed, retried].map(({ worker }) => worker.split(":")[0]), [first.name, second.name]);
  }, options());
}

queueTest(
  "hosts with skewed clocks agree on leases, and a job is taken over when one is over",
  async (queue) => {
    const [behind, ahead] = hosts(queue);
    await queue.store.setSetting("lease", `${shortLease}ms`);
    const work = `echo "$QUEUECTL_ATTEMPT" >>ran.$QUEUECTL_JOB_ID; ${untilFile("go")}`;
    const managers = [];
    for (const host of [behind, ahead]) {
      await queue.enqueue({ id: host.name, command: work });
      managers.push(host.start());
      await waitFor("the command to run", () => queue.read(`ran.${host.name}`) !== "");
    }
    const heartbeats = async () =>
      (await queue.store.processes()).map(({ startedAt, heartbeatAt }) => heartbeatAt - startedAt);
    // Each looks for others several times meanwhile, and would find them gone if it went by its own clock.
    await waitFor(
      "more than a lease",
      async () => (await heartbeats()).every((time) => time > 1.5 * shortLease),
      heartbeats,
    );
    for (const host of [behind, ahead]) {
      const { stdout } = await host.run("worker", "list");
      assert.equal(stdout.match(/ \| \d+s ago$/gm)?.length, 4, stdout);
    }
    for (const { lines } of managers) {
      assert.equal(lines.filter((line) => /adopted|taken for gone|job/.test(line)).length, 1, String(lines));
    }

    const before = await queue.store.processes();
    const { heartbeatAt } = before.find(({ running }) => running.includes(behind.name))!;
    await behind.cut();
    await waitFor("the end of the attempt", async () => (await queue.outcomes(behind.name)).length > 0);
    queue.touch("go");
    for (const { name } of [behind, ahead]) await queue.reaches(name, "completed");
    assert.deepEqual(await queue.outcomes(behind.name), [["lost", null], ["exited", 0]]);
    assert.deepEqual(await queue.outcomes(ahead.name), [["exited", 0]]);
    assert.deepEqual([behind, ahead].map(({ name }) => queue.read(`ran.${name}`)), ["1\n2\n", "1\n"]);
    const [lost, again] = await queue.store.attempts(behind.name);
    assert.ok(lost.endedAt >= heartbeatAt + shortLease, "it was taken over before its lease was over");
    assert.equal(again.worker.split(":")[0], ahead.name);
  },
  options(),
);
