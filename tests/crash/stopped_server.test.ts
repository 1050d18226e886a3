/** A stop while the PostgreSQL server is not there: it ends soon, tells what is not recorded, and loses nothing of it. */

import assert from "node:assert/strict";
import { killAllWith } from "../helpers/host_processes.ts";
import { startManager } from "../helpers/manager.ts";
import { postgresTest } from "../helpers/postgres_test.ts";
import { environment } from "../helpers/program_test.ts";
import { openProxy } from "../helpers/proxy.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { newJob } from "../store/suite/harness.ts";

const ignore = Deno.build.os === "windows";

postgresTest("a stop ends soon when the server is gone, at once when it is told again", async (test) => {
  await using folder = await temporaryFolder();
  const store = await test.open(test.url);
  const port = Number(new URL(test.url).port || 5432);
  const proxied = (proxyPort: number) => {
    const url = new URL(test.proxied);
    url.port = String(proxyPort);
    return url.href.replaceAll("+", "%20");
  };
  try {
    // Nothing runs: there is nothing to wait for.
    const idle = openProxy(port);
    const first = startManager([], folder.path, environment(folder.path, proxied(idle.port)));
    await first.line(/Worker-1: started$/);
    await idle[Symbol.asyncDispose]();
    first.signal("SIGTERM");
    await first.line(/Worker-1: ended: The database .* cannot be reached/);
    await waitFor(
      "its end",
      () => first.lines.some((line) => /^The database .* cannot be reached/.test(line)),
    );
    assert.equal((await first.status).code, 5);
    await first.closed;

    // A run that has ended is to be recorded.
    await store.enqueue([
      newJob("a", { command: "while [ ! -e go ]; do sleep 0.05; done", cwd: folder.path }),
    ]);
    const busy = openProxy(port);
    const second = startManager([], folder.path, environment(folder.path, proxied(busy.port)));
    await second.line(/picked job a/);
    await busy[Symbol.asyncDispose]();
    second.signal("SIGTERM");
    await second.line(/Worker-1: stopping gracefully/);
    Deno.writeTextFileSync(`${folder.path}/go`, "");
    await second.line(/Worker-1: waits up to 15s for the database, to record 1 ended run$/);
    second.signal("SIGTERM");
    await second.line(/Worker-1: 1 ended run is not recorded: the next worker of this host does that$/);
    assert.equal((await second.status).code, 5);
    await second.closed;
    // Its registration is for the next one to find.
    const third = startManager(["--drain"], folder.path, environment(folder.path, test.url));
    assert.equal((await third.status).code, 0, third.lines.join("\n"));
    await third.closed;
    assert.deepEqual((await store.attempts("a")).map(({ outcome }) => outcome), ["exited"]);
    assert.equal((await store.counts()).completed, 1);
  } finally {
    await killAllWith(folder.path);
  }
}, { ignore });
