#!/bin/bash
# deno bundle --minify and the postgres package: an error of the server is not called PostgresError any more
#
# Versions: deno 2.9.6, postgres 3.4.9 (npm).
#
# Behaviour: the package sets the `name` of its errors from the name of their class when they are made. The bundler gives
# classes short names with `--minify`, so that `error.name` is another word in the bundle than from source. With
# `--keep-names` it stays.
#
# Why one would guess otherwise: `name` is how errors of different packages are told apart without importing them, and looks
# like data. The built-in errors, and most libraries, write it as text, which no bundler touches.
#
# Seen:
#   from source: PostgresError
#   minified: another name
#   minified, names kept: PostgresError
#
# Exits 1 where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit deno@2.9.6 postgres@3.4.9 >/dev/null
deno=node_modules/.bin/deno
cat >try.ts <<'PROGRAM'
import postgres from "postgres";
const { PostgresError } = postgres as unknown as { PostgresError: new (fields: object) => Error };
const { name } = new PostgresError({ message: "any" });
console.log(name === "PostgresError" ? name : "another name");
PROGRAM
"$deno" bundle --quiet --minify --output minified.js try.ts
"$deno" bundle --quiet --minify --keep-names --output kept.js try.ts
run() { "$deno" run --quiet --no-check --allow-env "$1"; }
seen="from source: $(run try.ts)
minified: $(run minified.js)
minified, names kept: $(run kept.js)"
echo "$seen"
[ "$seen" = "from source: PostgresError
minified: another name
minified, names kept: PostgresError" ]
