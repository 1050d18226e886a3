/** What is neither a path nor a URL: refused with the form that is meant, and without its password. */

import assert from "node:assert/strict";
import { statIfThere } from "../../src/base/files.ts";
import { refuseOtherForms } from "../../src/store/database_form.ts";
import { openStore } from "../../src/store/open.ts";
import { told } from "./suite/harness.ts";

const secret = "s3cret";

const refused: Array<[given: string, ...parts: string[]]> = [
  [`host=h port=5433 dbname=d user=u password=${secret}`, "postgres://u@h:5433/d"],
  [`password='${secret} \\'x' host = h`, "postgres://h/"],
  [`dbname=d host=/var/run/postgresql password=${secret} sslmode=require`, "postgres:///d?host=%2Fvar%2Frun"],
  [`user=u passwort=${secret}`, "postgres://u@/"],
  [`postgres:host=h;password=${secret}`, "postgres://USER@HOST"],
  [`postgres:/u:${secret}@h/d`, "postgres://USER@HOST"],
  [`jdbc:postgresql://h/d?password=${secret}`, "postgres://USER@HOST"],
  [`"postgres://u:${secret}@h/d"`, "without quotes"],
  [`URL=postgres://u:${secret}@h/d`, "postgres://USER@HOST"],
  ["sqlite:q.db", '"q.db"'],
  ["sqlite3:q.db", '"q.db"'],
  ["file:q.db?mode=ro", '"q.db"'],
  ["file:///tmp/q.db", '"/tmp/q.db"'],
];

for (const [given, ...parts] of refused) {
  Deno.test(`a database given as ${given.replaceAll(secret, "…")} is refused with the form that is meant`, async () => {
    const isRight = (error: unknown) => {
      assert.ok(!(error as Error).message.includes(secret), (error as Error).message);
      return told("usage", ...parts)(error);
    };
    assert.throws(() => refuseOtherForms(given), isRight);
    await assert.rejects(openStore(given, { missing: "create", durable: false }), isRight);
    assert.equal(statIfThere(given), undefined);
  });
}

Deno.test("paths are paths", () => {
  const paths = [
    "queuectl.db",
    "a=b.db",
    "./host=h",
    "C:\\q.db",
    "c:q.db",
    "./sqlite:q.db",
    "dir:a/q.db",
    "/a:b/q.db",
    "x@y",
  ];
  for (const path of paths) refuseOtherForms(path);
});
