/** Tests of the PostgreSQL driver on a schema of their own, seen through a network that can fail. */

import { connectionOptions } from "../../src/store/postgres/connection/options.ts";
import { connect, type Database, standardLimits } from "../../src/store/postgres/connection/database.ts";
import { findQueue } from "../../src/store/postgres/make_schema.ts";
import { readProcessEnvironment } from "../../src/store/postgres/connection/process_environment.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { onServer, postgresSchema, postgresServer } from "./postgres_database.ts";
import { openProxy, type Proxy } from "./proxy.ts";

export interface Subject {
  /** Of the schema, and of the way to it through the proxy. */
  url: string;
  proxied: string;
  proxy: Proxy;
  schema: string;
  /** A store that is closed after the test. */
  open(url: string): Promise<Store>;
  /** The inside of a store, with a queue; `answer` is the milliseconds that it waits for one. */
  connect(url: string, answer?: number): Promise<Database>;
  /** Rows of a query, past the store; tables are `queuectl.NAME`. */
  query(text: string): Promise<Array<Record<string, unknown>>>;
}

/** The inside of a store, with a queue; `answer` is the milliseconds that it waits for one. To be closed. */
export async function connectForTests(url: string, answer?: number): Promise<Database> {
  const limits = structuredClone(standardLimits);
  if (answer !== undefined) limits.quick.answer = answer;
  const database = await connect(connectionOptions(url, readProcessEnvironment()), undefined, limits);
  await findQueue(database, true, () => {});
  return database;
}

/** Registers a test; it is ignored where there is no server. */
export function postgresTest(
  name: string,
  body: (subject: Subject) => Promise<void>,
  options: { ignore?: boolean } = {},
): void {
  Deno.test({
    name: `postgres: ${name}`,
    ignore: postgresServer === undefined || options.ignore,
    async fn() {
      await using stack = new AsyncDisposableStack();
      const { url, schema } = stack.use(postgresSchema());
      const address = new URL(url);
      const proxy = stack.use(openProxy(Number(address.port || 5432)));
      address.hostname = "127.0.0.1";
      address.port = String(proxy.port);
      address.searchParams.set("sslmode", "disable");
      await body({
        url,
        proxied: address.href.replaceAll("+", "%20"),
        proxy,
        schema,
        open: async (url) => stack.use(await openStore(url, { missing: "create", durable: false })),
        async connect(url, answer) {
          const database = await connectForTests(url, answer);
          stack.defer(() => database.close());
          return database;
        },
        query: (text) =>
          onServer(async (sql) =>
            (await sql.unsafe(text.replaceAll("queuectl.", () => `"${schema}".`))).map((row) => ({ ...row }))
          ),
      });
    },
  });
}
