/** What `enqueue` cannot be quicker than: a program that puts one row durably into the SQLite file it is given. */

import { DatabaseSync } from "node:sqlite";

const database = new DatabaseSync(Deno.args[0]);
database.exec(`
  PRAGMA synchronous = FULL;
  INSERT INTO jobs (id, command, state, available, attempts, max_retries, priority, created_at, updated_at)
  VALUES ('${crypto.randomUUID()}', 'true', 'pending', 1, 0, 3, 0, 0, 0)`);
database.close();
