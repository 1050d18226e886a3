/** A database of its own on the server for tests, with roles, for what concerns all of its schemas. */

import { onServer, postgresServer } from "./postgres_database.ts";

export interface OwnDatabase extends AsyncDisposable {
  name: string;
  /** As the user of the tests. */
  url: string;
  /** Runs statements as that one. */
  query(text: string): Promise<Array<Record<string, unknown>>>;
  /** A role that can log in, and its URL. */
  role(settings?: string): Promise<{ name: string; url: string }>;
}

/** Makes one; it is removed, with its roles, when it is disposed of. */
export async function ownDatabase(): Promise<OwnDatabase> {
  const unique = () => `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const name = unique();
  const roles: string[] = [];
  const place = new URL(postgresServer!);
  await onServer((sql) => sql.unsafe(`CREATE DATABASE ${name}`));
  place.pathname = `/${name}`;
  const url = place.href;
  return {
    name,
    url,
    query: (text) => onServer(async (sql) => (await sql.unsafe(text)).map((row) => ({ ...row })), url),
    async role(settings = "") {
      const role = unique();
      const password = crypto.randomUUID();
      await onServer((sql) => sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD '${password}' ${settings}`));
      roles.push(role);
      const own = new URL(url);
      [own.username, own.password] = [role, password];
      return { name: role, url: own.href };
    },
    async [Symbol.asyncDispose]() {
      await onServer(async (sql) => {
        await sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
        for (const role of roles) await sql.unsafe(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      });
    },
  };
}
