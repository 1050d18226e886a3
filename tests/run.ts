/**
 * Runs tests: `deno task test`, with paths and flags of `deno test` after it. One PostgreSQL server serves all of them:
 * the one that `QUEUECTL_TEST_POSTGRES` names, or else a throw-away one.
 */

import { permissions } from "../src/worker/program.ts";
import { startCluster } from "./helpers/postgres_cluster.ts";

async function run(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const env: Record<string, string> = {};
  if (!Deno.env.get("QUEUECTL_TEST_POSTGRES")) {
    const cluster = Deno.build.os === "windows" ? undefined : await startCluster();
    if (cluster) {
      stack.use(cluster);
      env.QUEUECTL_TEST_POSTGRES = cluster.url;
      env.QUEUECTL_TEST_POSTGRES_CERTIFICATE = cluster.certificate;
    } else {
      console.log("PostgreSQL is SKIPPED: it is not installed, and QUEUECTL_TEST_POSTGRES names no server");
    }
  }
  const named = Deno.args.some((arg) => !arg.startsWith("-") && isThere(arg));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-prompt", "--parallel", ...permissions, ...Deno.args, ...named ? [] : ["tests"]],
    env,
  }).spawn();
  // Both end the tests; a terminal tells them itself, and what is left to do here is to remove the server.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (signal === "SIGTERM" && Deno.build.os === "windows") continue;
    Deno.addSignalListener(signal, () => signal === "SIGTERM" && child.kill("SIGTERM"));
  }
  return (await child.status).code;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path.split("?")[0]);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.exit(await run());
