import assert from "node:assert/strict";
import type { NewOutputPart, OutputStream } from "../../../src/store/store.ts";
import type { Claim } from "../../../src/job/job.ts";
import {
  addDead,
  type Case,
  claim,
  claimOne,
  end,
  finished,
  handedBack,
  join,
  newJobs,
  success,
  told,
} from "./harness.ts";

/** What a run has printed at a position. */
function part(
  { seq, run, claim }: Claim,
  stream: OutputStream,
  position: number,
  text: string,
  gap: NewOutputPart["gap"] = null,
): NewOutputPart {
  return { seq, run, claim, stream, position, content: new TextEncoder().encode(text), gap };
}

/** What running commands print, and where it is read. */
export function runningOutputCases(test: Case): void {
  test("a job is found with its run by its id or a prefix of it", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("alpha", "beta", "beta-2"));
    assert.deepEqual(await store.findRun("al"), { id: "alpha", running: null });
    const { seq, run } = await claimOne(store, worker);
    assert.deepEqual(await store.findRun("alph"), { id: "alpha", running: { seq, run } });
    assert.deepEqual(await store.findRun("beta"), { id: "beta", running: null });
    await assert.rejects(store.findRun("bet"), told("usage", "beta", "beta-2"));
    for (const id of ["gamma", "alphabet", ""]) {
      await assert.rejects(store.findRun(id), told("not_found", `No job found with id ${id}`));
    }
  });

  test("a run that has ended is no longer found, the next one has another number", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const first = await claimOne(store, worker);
    await end(store, worker, first, handedBack);
    assert.deepEqual(await store.findRun("a"), { id: "a", running: null });
    const second = await claimOne(store, worker);
    assert.deepEqual((await store.findRun("a")).running, { seq: second.seq, run: first.run + 1 });
    await end(store, worker, second, success);
    assert.deepEqual(await store.findRun("a"), { id: "a", running: null });
    await addDead(store, "dead");
    assert.deepEqual(await store.findRun("dead"), { id: "dead", running: null });
  });

  test("what running commands print is kept where others cannot read the spool", async ({ store, connect }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a", "b"));
    const [a, b] = await claim(store, worker, 2);
    const bytes = part(a, "err", 0, "");
    bytes.content = Uint8Array.from([0, 255, 10, 195]);
    await store.keepOutput([part(a, "out", 0, "one\ntw"), bytes, part(b, "out", 0, "b\n")]);
    await store.keepOutput([part(a, "out", 0, "one\ntwo\n"), part(a, "out", 8, "three\n")]);
    const other = await connect();
    const found = (await other.keptOutput(a.seq, a.run)).map(({ stream, position, content }) =>
      [stream, position, [...content]] as const
    );
    const text = (text: string) => [...new TextEncoder().encode(text)];
    assert.deepEqual(
      found,
      store.shared
        ? [["err", 0, [0, 255, 10, 195]], ["out", 0, text("one\ntwo\n")], ["out", 8, text("three\n")]]
        : [],
    );
    assert.deepEqual(await other.keptOutput(a.seq, a.run + 1), []);
    assert.deepEqual(await other.keptOutput(b.seq + 1, 1), []);
  });

  test("only what ends behind a position is asked for", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const a = await claimOne(store, worker);
    await store.keepOutput(
      [0, 4, 8].flatMap((at) => [part(a, "out", at, "1234"), part(a, "err", at, "1234")]),
    );
    const behind = async (out: number, err: number) =>
      (await store.keptOutput(a.seq, a.run, { out, err })).map(({ stream, position }) =>
        `${stream} ${position}`
      );
    assert.deepEqual(await behind(12, 12), []);
    assert.deepEqual(await behind(11, 3), store.shared ? ["err 0", "err 4", "err 8", "out 8"] : []);
    assert.deepEqual(await behind(4, 12), store.shared ? ["out 4", "out 8"] : []);
  });

  test("what lies in a gap is dropped, of that output alone", async ({ store }) => {
    const worker = await join(store);
    await store.enqueue(newJobs("a"));
    const a = await claimOne(store, worker);
    await store.keepOutput(
      [0, 10, 20, 30].flatMap((position) =>
        (["out", "err"] as const).map((stream) => part(a, stream, position, "0123456789"))
      ),
    );
    await store.keepOutput([part(a, "out", 40, "x", { from: 10, to: 30 })]);
    const positions = async (stream: OutputStream) =>
      (await store.keptOutput(a.seq, a.run)).filter((piece) => piece.stream === stream)
        .map(({ position }) => position);
    assert.deepEqual(await positions("out"), store.shared ? [0, 30, 40] : []);
    assert.deepEqual(await positions("err"), store.shared ? [0, 10, 20, 30] : []);
  });

  test("with the end of a run goes what was kept of it, whoever records that", async ({ store }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a", "b"));
    const [a, b] = await claim(store, old, 2);
    await store.keepOutput([part(a, "out", 0, "a"), part(b, "out", 0, "b")]);
    await end(store, old, a, success);
    assert.deepEqual(await store.keptOutput(a.seq, a.run), []);
    const [taken] = await store.takeOver(heir, [old], []);
    assert.equal((await store.keptOutput(b.seq, b.run)).length, store.shared ? 1 : 0);
    await end(store, heir, taken, success);
    assert.deepEqual(await store.keptOutput(b.seq, b.run), []);
  });

  test("nothing is kept of a run that belongs to another worker, or has ended", async ({ store }) => {
    const [old, heir] = [await join(store), await join(store)];
    await store.enqueue(newJobs("a"));
    const before = await claimOne(store, old);
    const [taken] = await store.takeOver(heir, [old], []);
    await store.keepOutput([part(before, "out", 0, "late")]);
    assert.deepEqual(await store.keptOutput(taken.seq, taken.run), []);
    await store.keepOutput([part(taken, "out", 0, "new"), part(before, "err", 0, "late")]);
    const kept = await store.keptOutput(taken.seq, taken.run);
    assert.deepEqual(kept.map(({ stream }) => stream), store.shared ? ["out"] : []);
    await store.exchange(heir, [finished(taken, success)], 0);
    await store.keepOutput([part(taken, "out", 0, "too late")]);
    assert.deepEqual(await store.keptOutput(taken.seq, taken.run), []);
  });
}
