import assert from "node:assert/strict";
import { newJobId } from "../../src/job/job_id.ts";

Deno.test("ids are UUIDv7 of the present that sort in the order they were made", () => {
  const before = Date.now();
  // More than one millisecond's counter has room for.
  const ids = Array.from({ length: 20_000 }, newJobId);
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(parseInt(ids[0].replace("-", "").slice(0, 12), 16) >= before);
});
