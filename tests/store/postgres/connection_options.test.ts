/** How a URL, the environment and files of libpq become connection options. */

import assert from "node:assert/strict";
import {
  type ConnectionOptions,
  connectionOptions,
  type ProcessEnvironment,
} from "../../../src/store/postgres/connection/options.ts";
import { withoutPassword } from "../../../src/store/postgres/connection/url.ts";
import { findPassword } from "../../../src/store/postgres/connection/password_file.ts";
import { findService } from "../../../src/store/postgres/connection/service_file.ts";
import { told } from "../suite/harness.ts";

type Files = Record<string, string | { text?: string; mode?: number; isFile?: boolean }>;

function processWith(environment: Record<string, string> = {}, files: Files = {}): ProcessEnvironment {
  return {
    environment: { HOME: "/home/me", USER: "me", ...environment },
    isWindows: false,
    exists: (path) => path in files,
    readFile(path) {
      const file = files[path];
      if (file === undefined) return undefined;
      return { text: "", mode: 0o600, isFile: true, ...typeof file === "string" ? { text: file } : file };
    },
  };
}

const server = (host: string, port = 5432, password: string | null = null, address = host) => ({
  host,
  address,
  port,
  socket: null,
  password,
});

const cases: Array<
  [url: string, environment: Record<string, string>, files: Files, expected: Partial<ConnectionOptions>]
> = [
  ["postgres://", {}, {}, { servers: [server("localhost")], user: "me", database: "me", sslMode: "prefer" }],
  ["postgresql://u@h:5433/d", {}, {}, { servers: [server("h", 5433)], user: "u", database: "d" }],
  ["POSTGRES://u@h", {}, {}, { user: "u", database: "u" }],
  ["postgres://u:p%40%3A%2Fx@h/d%20b", {}, {}, { servers: [server("h", 5432, "p@:/x")], database: "d b" }],
  ["postgres://u@[::1]:5433/d", {}, {}, { servers: [server("::1", 5433)] }],
  ["postgres://u@a:1,b,c:3/d", {}, {}, {
    servers: [server("a", 1), server("b"), server("c", 3)],
    writable: true,
  }],
  ["postgres://u@a,b/d?target_session_attrs=any&port=7", {}, {}, {
    servers: [server("a", 7), server("b", 7)],
    writable: false,
  }],
  ["postgres://h/d?user=q&password=w&application_name=a%20b&connect_timeout=1", {}, {}, {
    servers: [server("h", 5432, "w")],
    user: "q",
    applicationName: "a b",
    connectTimeout: 2000,
  }],
  ["postgres://u@h/d?connect_timeout=0", {}, {}, { connectTimeout: 2 ** 31 - 1 }],
  ["postgres:///d?host=/run/pg&port=9", {}, {}, {
    servers: [{ host: "/run/pg", address: "/run/pg", port: 9, socket: "/run/pg/.s.PGSQL.9", password: null }],
  }],
  ["postgres://%2Frun%2Fpg/d", {}, {}, {
    servers: [{
      host: "/run/pg",
      address: "/run/pg",
      port: 5432,
      socket: "/run/pg/.s.PGSQL.5432",
      password: null,
    }],
  }],
  ["postgres:///d", {}, { "/tmp/.s.PGSQL.5432": "", "/var/run/postgresql/.s.PGSQL.5432": "" }, {
    servers: [{
      host: "localhost",
      address: "localhost",
      port: 5432,
      socket: "/var/run/postgresql/.s.PGSQL.5432",
      password: null,
    }],
  }],
  ["postgres://u@h/d?require_auth=md5,scram-sha-256&requirepeer=pg&channel_binding=disable", {}, {}, {
    authentication: { methods: ["md5", "scram-sha-256"], clearText: false },
    requirePeer: "pg",
  }],
  ["postgres://u@h/d", { PGREQUIREAUTH: "password", PGREQUIREPEER: "pg", PGCHANNELBINDING: "prefer" }, {}, {
    authentication: { methods: ["password"], clearText: true },
    requirePeer: "pg",
  }],
  ["postgres:///?service=x", {}, {
    "/home/me/.pg_service.conf": "[x]\nrequire_auth=!password\nrequirepeer=pg",
  }, {
    authentication: { methods: ["md5", "gss", "sspi", "scram-sha-256", "none"], clearText: false },
    requirePeer: "pg",
  }],
  ["postgres:///d", {}, { "/tmp/.s.PGSQL.5432": "" }, {
    servers: [{
      host: "localhost",
      address: "localhost",
      port: 5432,
      socket: "/tmp/.s.PGSQL.5432",
      password: null,
    }],
  }],
  [
    "postgres://",
    {
      PGHOST: "eh",
      PGPORT: "6",
      PGUSER: "eu",
      PGPASSWORD: "ep",
      PGDATABASE: "ed",
      PGSSLMODE: "disable",
      PGAPPNAME: "ea",
      PGCONNECT_TIMEOUT: "9",
      PGTARGETSESSIONATTRS: "read-write",
    },
    {},
    {
      servers: [server("eh", 6, "ep")],
      user: "eu",
      database: "ed",
      sslMode: "disable",
      applicationName: "ea",
      connectTimeout: 9000,
      writable: true,
    },
  ],
  [
    "postgres://u:p@h:1/d?sslmode=require",
    {
      PGHOST: "eh",
      PGPORT: "6",
      PGUSER: "eu",
      PGPASSWORD: "ep",
      PGDATABASE: "ed",
      PGSSLMODE: "disable",
    },
    {},
    { servers: [server("h", 1, "p")], user: "u", database: "d", sslMode: "require" },
  ],
  // The service before the environment, the URL before the service.
  ["postgres:///?service=work", { PGHOST: "eh", PGUSER: "eu" }, {
    "/home/me/.pg_service.conf": "[work]\nhost=sh\ndbname=sd\n",
  }, { servers: [server("sh")], user: "eu", database: "sd" }],
  ["postgres://u@h", { PGSERVICE: "work", PGSERVICEFILE: "/s" }, {
    "/s": "[work]\nhost=sh\nport=8\ndbname=sd",
  }, {
    servers: [server("h", 8)],
    database: "sd",
  }],
  ["postgres:///?service=x&servicefile=/f", {}, { "/f": "[x]\nuser = su \n" }, { user: "su" }],
  ["postgres:///?service=x", { PGSYSCONFDIR: "/etc/pg" }, { "/etc/pg/pg_service.conf": "[x]\nuser=su" }, {
    user: "su",
  }],
  // The file of passwords comes last.
  ["postgres://u@h/d", {}, { "/home/me/.pgpass": "h:5432:d:u:filed" }, {
    servers: [server("h", 5432, "filed")],
    warnings: [],
  }],
  ["postgres://u@h/d", { PGPASSWORD: "ep" }, { "/home/me/.pgpass": "*:*:*:*:filed" }, {
    servers: [server("h", 5432, "ep")],
  }],
  ["postgres://u@a,b/d", { PGPASSFILE: "/p" }, { "/p": "a:*:*:*:for a\nb:*:*:*:for b" }, {
    servers: [server("a", 5432, "for a"), server("b", 5432, "for b")],
  }],
  ["postgres://u@h/d?passfile=/open", {}, { "/open": { text: "*:*:*:*:filed", mode: 0o640 } }, {
    servers: [server("h")],
    warnings: [
      "The password file /open is not used: others may read or write it; run: chmod 600 /open",
    ],
  }],
  ["postgres://u@h/d?passfile=/dir", {}, { "/dir": { isFile: false } }, {
    servers: [server("h")],
    warnings: ["The password file /dir is not used: it is not a plain file"],
  }],
  // Certificates.
  ["postgres://u@h/d?sslmode=require", {}, { "/home/me/.postgresql/root.crt": "PEM" }, {
    sslMode: "verify-ca",
    rootCertificates: "PEM",
  }],
  ["postgres://u@h/d?sslmode=verify-full&sslrootcert=/c", {}, { "/c": "PEM" }, {
    sslMode: "verify-full",
    rootCertificates: "PEM",
  }],
  ["postgres://u@h/d?sslrootcert=system", {}, {}, { sslMode: "verify-full", rootCertificates: null }],
  // An address instead of a look-up of the name, by which certificate and password are found all the same.
  ["postgres://u@h/d?hostaddr=10.0.0.1", { PGPASSFILE: "/p" }, { "/p": "h:*:*:*:filed" }, {
    servers: [server("h", 5432, "filed", "10.0.0.1")],
  }],
  ["postgres://u@a,b/d?hostaddr=,10.0.0.2", {}, {}, {
    servers: [server("a"), server("b", 5432, null, "10.0.0.2")],
  }],
  ["postgres:///d", { PGHOSTADDR: "::1" }, {}, { servers: [server("::1")] }],
  // As hosted services print them.
  ["postgresql://u:p@ep-x.eu.aws.neon.tech/d?sslmode=require&channel_binding=require", {}, {}, {
    servers: [server("ep-x.eu.aws.neon.tech", 5432, "p")],
    sslMode: "require",
    channelBinding: true,
  }],
  ["postgres://u@h/d?sslmode=require&options=endpoint%3Dep-x", {}, {}, { serverOptions: "endpoint=ep-x" }],
  ["postgres://u.p:p@aws-0.pooler.supabase.com:6543/postgres?prepare=false", {}, {}, {
    servers: [server("aws-0.pooler.supabase.com", 6543, "p")],
    user: "u.p",
    prepare: false,
  }],
  ["postgres://u%40s:p@s.postgres.database.azure.com:5432/d?sslmode=require", {}, {}, { user: "u@s" }],
  ["postgres://u:p@ec2.compute.amazonaws.com:5432/d?ssl=true", {}, {}, { sslMode: "require" }],
  ["postgres://u@h/d", { PGOPTIONS: "-c geqo=off", PGCHANNELBINDING: "require" }, {}, {
    serverOptions: "-c geqo=off",
    channelBinding: true,
  }],
  ["postgres://u@h/d", {}, {}, { serverOptions: "", channelBinding: false, keepAlive: true, shuffle: false }],
  ["postgres://u@a,b/d?load_balance_hosts=random&keepalives=0", {}, {}, { keepAlive: false, shuffle: true }],
  ["postgres://u@h/d?fallback_application_name=f", {}, {}, { applicationName: "f" }],
  ["postgres://u@h/d?fallback_application_name=f", { PGAPPNAME: "e" }, {}, { applicationName: "e" }],
  // What asks for nothing else than what is done.
  [
    "postgres://u@h/d?gssencmode=prefer&client_encoding=utf8&keepalives_idle=30&keepalives_interval=10" +
    "&keepalives_count=3&tcp_user_timeout=0&sslcompression=0&sslsni=1&sslnegotiation=postgres" +
    "&ssl_min_protocol_version=TLSv1.2&krbsrvname=postgres&replication=false&sslcert=/c&sslcertmode=disable" +
    "&max_protocol_version=latest&sslcrl=",
    { PGGSSENCMODE: "disable", PGSSLNEGOTIATION: "", PGCLIENTENCODING: "LATIN1", PGTZ: "UTC" },
    {},
    { user: "u", database: "d" },
  ],
  // Ours.
  ["postgres://u@h/d", {}, {}, { schema: "queuectl", prepare: true, applicationName: "queuectl" }],
  ["postgres://u@h/d?schema=a%22b&prepare=false", {}, {}, { schema: 'a"b', prepare: false }],
];

for (const [url, environment, files, expected] of cases) {
  const names = Object.keys({ ...environment, ...files }).join(", ");
  Deno.test(`connection options of ${url}${names && ` with ${names}`}`, () => {
    const options = connectionOptions(url, processWith(environment, files));
    const picked = Object.fromEntries(Object.keys(expected).map((key) => [key, options[key as never]]));
    assert.deepEqual(picked, expected);
  });
}

const secret = "geheim";

const mistakes: Array<[url: string, message: string]> = [
  [`postgres://u:${secret}@h/d?sslmod=require`, 'unknown parameter "sslmod" (did you mean "sslmode"?)'],
  [`postgres://u:${secret}@h/d?pgbouncer=true`, 'unknown parameter "pgbouncer"'],
  [`postgres://u:${secret}@h/d?ssl=yes`, 'unknown parameter "ssl"'],
  [
    `postgres://u:${secret}@h/d?gssencmode=require`,
    'gssencmode (PGGSSENCMODE) is disable or prefer, not "require"',
  ],
  [`postgres://u:${secret}@h/d?sslpassword=${secret}`, "sslpassword, which queuectl does not have"],
  [`postgres://u:${secret}@h/d?sslcert=/c&sslkey=/k`, "add sslcertmode=disable"],
  [`postgres://u:${secret}@h/d?sslcrl=/crl`, "sslcrl (PGSSLCRL), which queuectl does not have"],
  [`postgres://u:${secret}@h/d?scram_client_key=${secret}`, "scram_client_key, which queuectl does not have"],
  [`postgres://u:${secret}@h/d?oauth_client_secret=${secret}`, "oauth_client_secret"],
  [`postgres://u:${secret}@h/d?ssl_min_protocol_version=TLSv1.3`, "is TLSv1 or TLSv1.1 or TLSv1.2, not"],
  [`postgres://u:${secret}@h/d?client_encoding=LATIN1`, 'not "LATIN1"'],
  [`postgres://u:${secret}@h/d?keepalives=2`, "keepalives is 0 or 1"],
  [`postgres://u:${secret}@h/d?keepalives_idle=soon`, "keepalives_idle is a whole number"],
  [`postgres://u:${secret}@h/d?load_balance_hosts=all`, "load_balance_hosts is disable or random"],
  [`postgres://u:${secret}@a,b/d?hostaddr=10.0.0.1`, "2 hosts, but 1 addresses"],
  [`postgres://u:${secret}@h/d?schema=a$settle$b`, "no $WORD$"],
  [`postgres://u:${secret}@h/d?sslmode=maybe`, 'not "maybe"'],
  [`postgres://u:${secret}@h/d?sslmode=verify-full`, "there is no file /home/me/.postgresql/root.crt"],
  [`postgres://u:${secret}@h/d?service=none`, 'the service "none"'],
  [`postgres://u:${secret}@h/d?schema=`, "schema is a name"],
  [`postgres://u:${secret}@h/d?schema=pg_catalog`, "schema is a name"],
  [`postgres://u:${secret}@h/d?schema=${"x".repeat(64)}`, "schema is a name"],
  [`postgres://u:${secret}@h/d?prepare=no`, "prepare is false or true"],
  [`postgres://u:${secret}@h/d?connect_timeout=soon`, "connect_timeout is a whole number"],
  [`postgres://u:${secret}@h/d?target_session_attrs=standby`, "target_session_attrs"],
  [`postgres://u:${secret}@h/d?require_auth=scram`, "require_auth is a list of password, md5"],
  [`postgres://u:${secret}@h/d?channel_binding=require&sslmode=disable`, "needs encryption"],
  [`postgres://u:${secret}@h/d?channel_binding=yes`, "channel_binding is disable, prefer or require"],
  [`postgres://u:${secret}@h:99999/d`, "a port is a number"],
  [`postgres://u:${secret}@a,b/d?port=1,2,3`, "2 hosts, but 3 ports"],
  [`postgres://u:${secret}%@h/d`, "a % itself is %25"],
  // Passwords whose special characters were not written as %XX.
  [`postgres://u:${secret}@x@h/d`, "%40"],
  [`postgres://u:${secret}/x@h/d`, "%40"],
  [`postgres://u:${secret}/d`, "host or port"],
  [`postgres://u:12/${secret}@h/d`, "%40"],
  [`postgres://u:12?${secret}@h/d`, "%3F"],
  [`postgres://u:${secret}#x@h/d`, "has to look like"],
  [`postgres:/u:${secret}@h`, "has to look like"],
];

for (const [url, message] of mistakes) {
  Deno.test(`the mistake in ${url.replace(secret, "…")} is told without the password`, () => {
    assert.throws(() => connectionOptions(url, processWith()), (error) => {
      told("usage", message)(error);
      assert.ok(!(error as Error).message.includes(secret), (error as Error).message);
      return true;
    });
  });
}

Deno.test("without a user in URL and environment that is told", () => {
  const nobody = { ...processWith(), environment: {} };
  assert.throws(() => connectionOptions("postgres://h/d", nobody), told("usage", "PGUSER"));
});

Deno.test("the URL that is shown has no password", () => {
  const shown: Array<[string, string]> = [
    ["postgres://u@h/d", "postgres://u@h/d"],
    ["postgres://u:p@h:1/d?schema=s", "postgres://u@h:1/d?schema=s"],
    ["postgres://u:p:q%40@h/d", "postgres://u@h/d"],
    ["postgres://:p@h/d", "postgres://@h/d"],
    ["postgres://h/d?password=p&user=u", "postgres://h/d?user=u"],
    ["postgres://h/d?user=u&%70assword=p", "postgres://h/d?user=u"],
    ["postgres://h/d?password=p", "postgres://h/d"],
    ["postgres://h/d?p%61ssword=p&user=u", "postgres://h/d?user=u"],
    ["postgres://h/d?PASSWORD=p&%50assw%6Frd=q", "postgres://h/d"],
    ["postgres://h/d?sslpassword=p&%zz=q", "postgres://h/d"],
    ["postgres://h/d?oauth_client_secret=p&scram_client_key=q", "postgres://h/d"],
  ];
  for (const [url, expected] of shown) assert.equal(withoutPassword(url), expected);
});

Deno.test("lines of a password file", () => {
  const key = { host: "h", port: 5432, database: "d", user: "u" };
  const lines: Array<[line: string, password: string | undefined]> = [
    ["h:5432:d:u:p", "p"],
    ["*:*:*:*:p", "p"],
    ["h:5433:d:u:p", undefined],
    ["# h:5432:d:u:p", undefined],
    ["#comment\nh:5432:d:u:p", "p"],
    ["x:*:*:*:first\nh:*:*:*:second\n*:*:*:*:third", "second"],
    ["h:5432:d:u:a\\:b\\\\c", "a:b\\c"],
    // The last field goes to the end of the line.
    ["h:5432:d:u:a:b", "a:b"],
    ["\\h:5432:d:u:p", "p"],
    // A star that is escaped is only a star.
    ["\\*:*:*:*:p", undefined],
    ["h:5432:d:u", undefined],
    ["h:5432:d:u:", ""],
    ["h:5432:d:u:p \r\n", "p "],
    ["", undefined],
  ];
  for (const [line, password] of lines) assert.equal(findPassword(line, key), password, line);
  const odd = { host: "::1", port: 1, database: "a:b", user: "c\\d" };
  assert.equal(findPassword("\\:\\:1:1:a\\:b:c\\\\d:p", odd), "p");
});

Deno.test("sections of a service file", () => {
  const text =
    `# comment\n[first]\nhost=a\n\n[second]\n host = b \nuser=x=y\nuser=later\nunknown=1\n[third]\nhost=c`;
  assert.deepEqual(findService(text, "first"), { host: "a" });
  assert.deepEqual(findService(text, "second"), { host: "b", user: "x=y" });
  assert.deepEqual(findService(text, "third"), { host: "c" });
  assert.equal(findService(text, "fourth"), undefined);
  assert.deepEqual(findService("[empty]", "empty"), {});
});
