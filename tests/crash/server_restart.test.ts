/** A PostgreSQL server that crashes and starts anew while jobs run: workers wait for it, and nothing is lost or done twice. */

import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import { onServer, postgresServer } from "../helpers/postgres_database.ts";
import { startCluster } from "../helpers/postgres_cluster.ts";
import { killAllWith } from "../helpers/host_processes.ts";
import { startManager } from "../helpers/manager.ts";
import { environment } from "../helpers/program_test.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { newJob } from "../store/suite/harness.ts";

/** Jobs, and how many of them are done before each crash. */
const [jobs, crashes] = [120, [20, 60]];

Deno.test({
  name: "postgres: a server that crashes twice while jobs run loses none of them, and none runs twice",
  // A server of its own: the crash ends everybody's sessions.
  ignore: postgresServer === undefined || Deno.build.os === "windows",
  async fn() {
    await using server = await startCluster();
    assert.ok(server);
    await using folder = await temporaryFolder();
    const url = `${server.url}&schema=crashed`;
    await using store = await openStore(url, { missing: "create", durable: true });
    const ids = Array.from({ length: jobs }, (_, number) => `job-${number}`);
    const command = "echo $QUEUECTL_JOB_ID >>ran; sleep 0.02";
    await store.enqueue(ids.map((id) => newJob(id, { command, cwd: folder.path, baseBackoff: 0 })));
    const ran = () => Deno.readTextFileSync(`${folder.path}/ran`).trimEnd().split("\n");
    Deno.writeTextFileSync(`${folder.path}/ran`, "");
    const manager = startManager(
      ["--count", "2", "--concurrency", "2", "--drain"],
      folder.path,
      environment(folder.path, url),
    );
    try {
      for (const done of crashes) {
        await waitFor(`${done} jobs to run`, () => ran().length >= done, () => manager.lines.join("\n"));
        // A session that is killed makes the server end all others and recover from its log.
        await onServer(async (sql) => {
          const [{ pid }] = await sql`SELECT pg_backend_pid() AS pid`;
          Deno.kill(Number(pid), "SIGKILL");
        }, server.url);
      }
      assert.equal((await manager.status).code, 0, manager.lines.join("\n"));
      await manager.closed;
      assert.equal((await store.counts()).completed, jobs);
      assert.deepEqual(ran().sort(), ids.toSorted());
      for (const id of ids) {
        assert.deepEqual((await store.attempts(id)).map(({ outcome }) => outcome), ["exited"], id);
      }
    } finally {
      await killAllWith(folder.path);
    }
  },
});
