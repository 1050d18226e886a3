/**
 * A throw-away PostgreSQL server for tests, made from the programs that are installed. A shell guards it: when the
 * process that asked for it ends, however that happens, the shell's input does too, and it removes the server.
 */

import { fileURLToPath } from "node:url";
import { waitFor } from "./wait_for.ts";

export interface Cluster extends AsyncDisposable {
  /** With a password, and without encryption. */
  url: string;
  /** The certificate that its own is signed with. */
  certificate: string;
}

/**
 * The variables by which tests find a server: the one that `QUEUECTL_TEST_POSTGRES` names, or else a throw-away one, which
 * goes when this is disposed of. Undefined, after a line that says so, where there is neither.
 */
export async function serverForTests(): Promise<
  { env: Record<string, string> } & AsyncDisposable | undefined
> {
  if (Deno.env.get("QUEUECTL_TEST_POSTGRES")) {
    return { env: {}, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const cluster = Deno.build.os === "windows" ? undefined : await startCluster();
  if (cluster === undefined) {
    console.log("PostgreSQL is SKIPPED: it is not installed, and QUEUECTL_TEST_POSTGRES names no server");
    return undefined;
  }
  return {
    env: {
      QUEUECTL_TEST_POSTGRES: cluster.url,
      QUEUECTL_TEST_POSTGRES_CERTIFICATE: cluster.certificate,
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** Tests cut no power: their server does not wait for the disk. */
const hasty = ["fsync=off", "full_page_writes=off"];

/** Starts one with these settings, or a copy of the files of `another`; undefined where PostgreSQL is not installed. */
export async function startCluster(
  settings: readonly string[] = hasty,
  another?: Cluster,
): Promise<Cluster | undefined> {
  const programs = findPrograms();
  if (programs === undefined) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "queuectl-postgres-" });
  const password = another ? new URL(another.url).password : crypto.randomUUID();
  const port = freePort();
  Deno.writeTextFileSync(`${folder}/password`, password);
  for (const name of ["server.crt", "server.key"]) {
    Deno.copyFileSync(fileURLToPath(import.meta.resolve(`./certificates/${name}`)), `${folder}/${name}`);
    Deno.chmodSync(`${folder}/${name}`, 0o600);
  }
  const guard = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      guardScript,
      "guard",
      folder,
      programs,
      String(port),
      another?.url ?? "",
      ...settings.flatMap((setting) => ["-c", setting]),
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
    // Ctrl-C is for the tests: the server goes last.
    detached: true,
  }).spawn();
  await waitFor(
    "the PostgreSQL server",
    () => read(`${folder}/data/postmaster.pid`).includes("ready") || read(`${folder}/failed`) !== "",
    () => read(`${folder}/log`),
  );
  if (read(`${folder}/failed`) !== "") throw new Error(`no PostgreSQL server:\n${read(`${folder}/log`)}`);
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`,
    certificate: fileURLToPath(import.meta.resolve("./certificates/authority.crt")),
    async [Symbol.asyncDispose]() {
      await guard.stdin.close();
      await guard.status;
    },
  };
}

// PostgreSQL does not run as root: a user without rights does it, who exists wherever it is installed.
const guardScript = `
  folder=$1 programs=$2 port=$3 another=$4 as=
  shift 4
  trap '' INT HUP TERM
  if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown -R "$user" "$folder"
    as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
    command -v setpriv >/dev/null || as="runuser -u $user --"
  fi
  cd "$folder"
  make() {
    if [ "$another" ]; then $as "$programs/pg_basebackup" -d "$another" -D "$folder/data" -c fast -N
    else
      $as "$programs/initdb" -D "$folder/data" -U postgres --pwfile="$folder/password" -A scram-sha-256 -N \
        --no-locale -E UTF8
    fi
  }
  if make >"$folder/log" 2>&1; then
    $as "$programs/postgres" -D "$folder/data" -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 \
      -c max_connections=500 -c shared_buffers=64MB "$@" \
      -c ssl=on -c ssl_cert_file="$folder/server.crt" -c ssl_key_file="$folder/server.key" >>"$folder/log" 2>&1 &
    server=$!
  else
    echo failed >"$folder/failed"
  fi
  read -r _
  [ -z "$server" ] || kill -QUIT "$server"
  wait
  rm -rf "$folder"
`;

/** The folder of the newest server that is installed. */
function findPrograms(): string | undefined {
  const versions = (names("/usr/lib/postgresql")).filter((name) => /^\d+$/.test(name)).sort((a, b) =>
    Number(b) - Number(a)
  );
  const folders = [
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...(Deno.env.get("PATH") ?? "").split(":"),
  ];
  return folders.find((folder) => ["initdb", "postgres"].every((name) => names(folder).includes(name)));
}

function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
