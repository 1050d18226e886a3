#!/bin/bash
# Deno's node:sqlite: iterate() ends without a word at the first integer over 2^53, where all() throws
#
# Versions: deno 2.9.6 (npm).
#
# Behaviour: of three rows whose second has 9007199254740993, `statement.all()` throws ERR_OUT_OF_RANGE, as Node.js
# documents it for numbers that do not fit. `statement.iterate()` gives the first row and is done: no error, and the rows
# behind it are missing. With `setReadBigInts(true)` it gives all three.
#
# Why one would guess otherwise: both methods read the same statement, and one of them tells. A loop that copies a table by
# iterate() looks as if it had come to the end of it.
#
# Seen:
#   iterate: [1]
#   all: ERR_OUT_OF_RANGE
#   iterate with bigints: 1,9007199254740993,3
#
# Exits 1 where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit deno@2.9.6 >/dev/null
cat >try.ts <<'PROGRAM'
import { DatabaseSync } from "node:sqlite";
const database = new DatabaseSync(":memory:");
database.exec("CREATE TABLE numbers (n INTEGER); INSERT INTO numbers VALUES (1), (9007199254740993), (3)");
const statement = () => database.prepare("SELECT n FROM numbers ORDER BY rowid");
console.log("iterate:", JSON.stringify([...statement().iterate()].map(({ n }) => n)));
try {
  console.log("all:", statement().all().length);
} catch (error) {
  console.log("all:", (error as { code: string }).code);
}
const wide = statement();
wide.setReadBigInts(true);
console.log("iterate with bigints:", [...wide.iterate()].map(({ n }) => n).join());
PROGRAM
seen=$(node_modules/.bin/deno run --quiet --no-config try.ts)
echo "$seen"
[ "$seen" = "iterate: [1]
all: ERR_OUT_OF_RANGE
iterate with bigints: 1,9007199254740993,3" ]
